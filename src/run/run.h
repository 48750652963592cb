/* The run: real training of a model across MPI ranks under a schedule. No MPI types
 * here: the command line sees what goes in and what comes out. */
#ifndef PP_RUN_RUN_H
#define PP_RUN_RUN_H

#include "run/config.h"
#include "run/result.h"

/* Collective, between pp_world_enter and pp_world_leave (launch.h): trains. A failing
 * rank's error reaches all ranks. The result is to be released either way.
 * PP_WRONG_NUMBERS if a loss is not finite; a failed --verify is no error here but
 * result->verified. */
int pp_run(const struct pp_run_config *config, struct pp_run_result *result,
           struct pp_error *error);
void pp_run_result_release(struct pp_run_result *result);

#endif
