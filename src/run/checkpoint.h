/* A run's checkpoints: from which it goes on, and those that it writes. All functions
 * are collective, but for those that say that they are not. */
#ifndef PP_RUN_CHECKPOINT_H
#define PP_RUN_CHECKPOINT_H

#include "run/resume.h"
#include "run/store.h"
#include "run/train.h"

struct pp_checkpoints {
    const struct pp_run_config *config; /* borrowed, as is the world */
    const struct pp_world *world;
    int start;                /* the step that training goes on from; 0: from the
                               * beginning */
    char *folder;             /* its checkpoint; NULL */
    struct pp_store store;    /* rank 0's, as are the next two */
    struct pp_manifest here;  /* what decides this run's numbers */
    struct pp_manifest found; /* the checkpoint; its losses are those up to start */
};

/* Finds where to start (resume.h), and removes what a killed run has left. Without
 * '--checkpoint' there is nothing to find. Warns, on stderr, where the checkpoint is of
 * another machine than this. PP_BAD_INPUT where it may not go on. */
int pp_checkpoints_init(struct pp_checkpoints *checkpoints,
                        const struct pp_run_config *config,
                        const struct pp_machine *machine, const struct pp_world *world,
                        struct pp_error *error);
/* Not collective. */
void pp_checkpoints_release(struct pp_checkpoints *checkpoints);

/* The checkpoint that training began from stays, beside the newest, where '--verify'
 * will begin there too. Now it has. Not collective. */
void pp_checkpoints_let_go(struct pp_checkpoints *checkpoints);

/* Is one to be written after this step, which may be the last? Not collective. */
bool pp_checkpoints_due(const struct pp_checkpoints *checkpoints, int step, bool last);

/* Writes one after the last of the losses' steps; the losses are rank 0's. On failure
 * nothing of it stays. PP_ENVIRONMENT. */
int pp_checkpoints_write(struct pp_checkpoints *checkpoints,
                         const struct pp_trainer *trainer,
                         const struct pp_losses *losses, struct pp_error *error);

#endif
