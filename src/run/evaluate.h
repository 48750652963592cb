/* The held-out loss: the forward of the pipeline on samples that are not trained on,
 * the same ones each time. Nothing is kept for a backward, nothing is timed. Bitwise
 * the same on every layout, as the losses of training are. */
#ifndef PP_RUN_EVALUATE_H
#define PP_RUN_EVALUATE_H

#include "run/config.h"
#include "run/rank.h"

/* What a stage of this rank has handed over to another one of it; NULL: nothing. */
struct pp_handed {
    struct pp_wire *wire;
};

struct pp_evaluator {
    struct pp_rank *rank;        /* borrowed: its stages and its buffers */
    struct pp_schedule schedule; /* every stage's F, on the ranks of training's */
    struct pp_channel channel;
    struct pp_handed *inputs; /* [chunks][microbatches] */
    int32_t *tokens;          /* [microbatches] (B, T) if it holds the first stage */
    int32_t *targets;         /* [microbatches] (B, T) if it holds the last stage */
    double *loss_sums;        /* [microbatches] of the last stage: nats */
};

/* Draws the samples. The rank outlives the evaluator. On failure the evaluator may only
 * be released. Not collective. */
int pp_evaluator_init(struct pp_evaluator *evaluator,
                      const struct pp_run_config *config, struct pp_rank *rank,
                      struct pp_error *error);
void pp_evaluator_release(struct pp_evaluator *evaluator);

/* Collective. The loss in nats per token under the stages' present values; NaN if it is
 * not finite. */
double pp_evaluate(struct pp_evaluator *evaluator);

/* Is it evaluated after this step? */
bool pp_evaluation_due(const struct pp_run_config *config, int step);

#endif
