/* --verify: the run against the sequential run, bit by bit. */
#ifndef PP_RUN_COMPARE_H
#define PP_RUN_COMPARE_H

#include "model/losses.h"
#include "run/train.h"

/* Where training began: after that step of a checkpoint. {0}: at the beginning. */
struct pp_begin {
    int step;
    const char *folder;
};

/* Collective. Trains the same model again on rank 0 alone, from the same beginning,
 * under the sequential schedule, and compares the losses of all steps since, held-out
 * ones too, the gradients of the last and the parameters after it with those of
 * trainer, which has just trained all its steps. Sets *verified, on rank 0: 1, 0, or -1
 * where it was told to stop before it knew, by the signal that *stopped then is. Where
 * it is 0, difference names the first step, or tensor and element, that differ. */
int pp_compare_with_sequential(struct pp_trainer *trainer, const struct pp_begin *begin,
                               const struct pp_losses *losses, int *verified,
                               struct pp_error *difference, int *stopped,
                               struct pp_error *error);

#endif
