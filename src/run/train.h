/* Training: a rank, its data and its optimizer, one step after the other. */
#ifndef PP_RUN_TRAIN_H
#define PP_RUN_TRAIN_H

#include "model/corpus.h"
#include "run/config.h"
#include "run/evaluate.h"
#include "run/tensors.h"

struct pp_trainer {
    const struct pp_run_config *config; /* borrowed, as are the next four */
    const struct pp_world *world;
    const struct pp_schedule *schedule;
    struct pp_clock *clock;
    const int *layers_of;

    struct pp_rank rank;
    struct pp_corpus corpus;
    struct pp_evaluator evaluator; /* set up where the config asks for evaluations */
    struct pp_tensors tensors;
    float **moments; /* [chunk_count] AdamW's two, one after the other; NULL for SGD */
    real *tie;       /* scratch of pp_tensors_tie */
    double *squares; /* scratch of pp_tensors_norm */
    int32_t *unused; /* scratch for tokens or targets that this rank does not need */
};

/* What one step came to; the same on every rank. */
struct pp_outcome {
    double loss;      /* nats per token, before the update */
    double norm;      /* of the gradients, before clipping; no update is made where it
                       * is not finite */
    int64_t makespan; /* ns, last end - first start of the ops */
    int64_t duration; /* ns, from the first op's start to the end of the last rank's
                         update */
    int stop;         /* SIGINT or SIGTERM where a rank was told to stop; 0 */
};

/* Collective. Allocates, loads the parameters, opens the data. The config's schedule
 * and layers_of are passed apart, since --verify trains the same model under another.
 */
int pp_trainer_init(struct pp_trainer *trainer, const struct pp_run_config *config,
                    const struct pp_world *world, const struct pp_schedule *schedule,
                    const int *layers_of, struct pp_clock *clock,
                    struct pp_error *error);
void pp_trainer_release(struct pp_trainer *trainer);

/* Collective. One step, counted from 1. spans [ops of this rank], and cpu unless NULL,
 * are overwritten. The gradients (mean over all tokens, before clipping) stay in the
 * stages until the next step. PP_ENVIRONMENT if the data could not be read. */
int pp_trainer_step(struct pp_trainer *trainer, int step, struct pp_span *spans,
                    struct pp_cpu *cpu, struct pp_outcome *outcome,
                    struct pp_error *error);

#endif
