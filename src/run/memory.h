/* The memory of a run's ranks, before there is any: from the same sizes
 * (stage_layout.h) and counts (buffers.h) by which rank.c then allocates. Bytes are
 * doubles, for what does not fit is to have a size too. */
#ifndef PP_RUN_MEMORY_H
#define PP_RUN_MEMORY_H

#include "model/stage_layout.h"
#include "run/config.h"
#include "schedule/held.h"

/* What a microbatch holds of the stage between ops, in bytes. */
struct pp_hold pp_stage_hold(const struct pp_stage *stage);

/* A rank's, in bytes. */
struct pp_rank_memory {
    /* As the run reports them. */
    double parameters, gradients, optimizer;
    double peak_activations; /* held between ops, at their most */
    /* What is allocated for them and beside them. */
    double activations; /* each stage's own peak of its buffers */
    double buffers;     /* gradients by activations, messages, scratch */
    double steps;       /* data, losses and times of the steps */
    double again;       /* on rank 0: --verify's sequential run, and a buffer for
                         * tensors of other ranks, where they are written or compared */
};
struct pp_run_memory {
    struct pp_rank_memory *ranks; /* [schedule->ranks] owned */
};
int pp_run_memory_init(struct pp_run_memory *memory, const struct pp_run_config *config,
                       struct pp_error *error);
void pp_run_memory_release(struct pp_run_memory *memory);

/* All that the rank allocates. */
double pp_rank_memory_total(const struct pp_rank_memory *memory);

#endif
