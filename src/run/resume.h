/* Which checkpoint training goes on from, and whether it may. No MPI here: rank 0 does
 * it for all. */
#ifndef PP_RUN_RESUME_H
#define PP_RUN_RESUME_H

#include "run/config.h"
#include "run/manifest.h"

/* What decides a run's numbers, as its checkpoints say it. The manifest's options are
 * borrowed from the config. PP_BAD_INPUT if the data cannot be read. */
int pp_resume_describe(struct pp_manifest *here, const struct pp_run_config *config,
                       struct pp_error *error);

/* Reads and checks the checkpoint to go on from. Returns its step, 0 where there is
 * none yet; else -1 with PP_BAD_INPUT:
 * - there are checkpoints, but nobody asked to resume;
 * - the checkpoint is damaged: then a second line names the newest that is not;
 * - an option would change the numbers: a line for each, with both values;
 * - it has all steps already.
 * The manifest is to be released in any case. */
int pp_resume_find(struct pp_manifest *manifest, const struct pp_run_config *config,
                   const struct pp_manifest *here, struct pp_error *error);

/* Where the checkpoint was made by other kernels or on another CPU, writes what
 * differs, in a sentence; else "". Bits are the same on one machine only. */
void pp_resume_compare_machines(const struct pp_machine *there,
                                const struct pp_machine *here, char *text, size_t size);

#endif
