/* What a run is asked for. */
#ifndef PP_RUN_CONFIG_H
#define PP_RUN_CONFIG_H

#include <jansson.h>

#include "model/config.h"
#include "model/optimizer.h"
#include "schedule/schedule.h"

enum pp_clock_choice { PP_CHOOSE_AUTO, PP_CHOOSE_WALL, PP_CHOOSE_VIRTUAL };

/* What rank 0 reports after each step. */
struct pp_progress {
    int step;          /* from 1 */
    double loss;       /* nats per token */
    double duration_s; /* of the step, optimizer included */
    double makespan_s; /* of its compute ops */
    double held_out;   /* loss after it, nats per token; NaN: not evaluated */
};

/* The key of numbers below that is no option's: the weight copy of each microbatch,
 * where there are several. */
#define PP_NUMBERS_COPIES "copy_of"

struct pp_run_config {
    const struct pp_schedule *schedule; /* verified */
    struct pp_model_config model;
    const int *layers_of; /* [stages] as from pp_partition */
    struct pp_optimizer optimizer;
    double clip_norm; /* global norm that gradients are clipped to; 0: not clipped */
    uint64_t seed;
    int steps, warmup_steps;
    const char *data, *load, *save, *save_grads; /* paths, NULL where not given */
    int eval_every;        /* steps between held-out losses; 0: none */
    int eval_microbatches; /* of how many each is the mean */
    const char *eval_data; /* path; NULL: the generated task */
    const char
        *checkpoint;      /* folder of checkpoints (store.h); NULL: none are written */
    int checkpoint_every; /* steps; 0: only after the last */
    int keep;             /* how many, at least 1 */
    bool resume;          /* go on from the newest, where there is one */
    json_t *numbers; /* the options that decide the numbers, by key: what a checkpoint
                      * is held against; borrowed */
    enum pp_clock_choice clock;
    double link_latency_s, link_bandwidth; /* NaN: measured */
    const double *slow; /* [ranks] an op of the rank counts so many times; NULL: once */
    int threads;        /* BLAS threads per rank */
    bool verify;        /* against the sequential run, bit by bit */
    void (*on_step)(void *data, const struct pp_progress *progress); /* or NULL */
    void *on_step_data;
};

#endif
