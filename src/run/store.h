/* The folder that '--checkpoint' names:
 *
 *     step-00000400/   a whole checkpoint (manifest.h, shard.h) after that step
 *     step-00000600/
 *     latest           "step-00000600\n": the one to go on from
 *     .ppsim-…         what is being written, or removed
 *
 * A checkpoint is written in a folder of a temporary name, flushed, and renamed;
 * 'latest' changes last, by a rename too; then the oldest are removed. So at any moment
 * 'latest' names a whole one. No MPI here: rank 0 does it for all. */
#ifndef PP_RUN_STORE_H
#define PP_RUN_STORE_H

#include "base/error.h"

struct pp_store {
    const char *path; /* borrowed */
    int keep;         /* checkpoints, the newest ones */
    int held;         /* a step whose checkpoint stays as well; 0 */
    int lock;         /* descriptor of the folder, which no other run may have; -1 */
    char *writing;    /* the temporary folder; NULL where nothing is being written */
};

/* Makes the folder where there is none, and takes it for this process alone; waits some
 * seconds for a run that is about to end. PP_BAD_INPUT if it cannot be written or
 * another run has it. */
int pp_store_open(struct pp_store *store, const char *path, int keep,
                  struct pp_error *error);
/* Removes what was being written, and gives the folder free. */
void pp_store_close(struct pp_store *store);

/* Removes what a killed run has left: temporary folders, and checkpoints of steps after
 * that of the one to go on from. */
int pp_store_clean(const struct pp_store *store, int step, struct pp_error *error);

/* Makes store->writing. */
int pp_store_begin(struct pp_store *store, struct pp_error *error);
/* Makes it the checkpoint of that step, and the one to go on from; removes the oldest.
 * All functions that write give PP_ENVIRONMENT and leave older checkpoints alone. */
int pp_store_publish(struct pp_store *store, int step, struct pp_error *error);

/* The checkpoint that was held is now as old as any. */
void pp_store_let_go(struct pp_store *store);

/* The step to go on from, 0 where there is no checkpoint or no folder. -1,
 * PP_BAD_INPUT, where 'latest' is damaged. */
int pp_store_latest(const char *path, struct pp_error *error);

/* The steps of all checkpoints, the newest first; *steps is to be freed. Returns how
 * many; -1 with PP_BAD_INPUT if the folder cannot be read. */
int pp_store_list(const char *path, int **steps, struct pp_error *error);

/* The name of a step's checkpoint, and its path in the folder, to be freed; NULL with
 * the error set when out of memory. */
enum { PP_STORE_NAME = 24 };
const char *pp_store_name(int step, char name[PP_STORE_NAME]);
char *pp_store_folder(const char *path, int step, struct pp_error *error);

#endif
