/* One rank of the run: its stages, its buffers, and the interpreter that takes it
 * through its ops. Sibling of simulate/: the same schedule goes in, the same timeline
 * comes out, but every op is really computed. */
#ifndef PP_RUN_RANK_H
#define PP_RUN_RANK_H

#include "model/stage.h"
#include "run/channel.h"
#include "run/reduce.h"
#include "timeline/timeline.h"

/* A microbatch inside a stage of this rank. */
struct pp_slot {
    struct pp_wire *input;       /* from the stage before, until F has read it */
    struct pp_wire *output_grad; /* from the stage after, held from B or I to W */
    real *transients;            /* F to B or I */
    real *activations;           /* F to B or W */
    real *gradients;             /* B or I to W */
    real *inputs;                /* F to B or I: of re-computation, which fills in the
                                  * first two from B or I on; NULL where there is none */
    bool weight_due;             /* its I is done, and its W has been asked for */
};

/* A stage that this rank holds, of one weight copy. */
struct pp_chunk {
    int copy, stage;
    struct pp_stage model;
    struct pp_slot *slots; /* [microbatches]; those of other copies stay empty */
    struct pp_pool transients, activations, gradients, inputs;
    int next_weight; /* the microbatch whose weight gradient comes next; as many as
                      * there are: all of the copy's are in the stage's gradients */
};

/* What a half of an op, or F, has just computed. */
struct pp_look {
    enum pp_kind kind; /* F, I or W; B is both */
    int place;         /* the stage */
    int microbatch;
    const struct pp_stage *stage;
    const struct pp_pass *pass;
    const real *output; /* F's or I's; NULL: none */
};

struct pp_rank {
    const struct pp_world *world;
    const struct pp_schedule *schedule;
    struct pp_model_config config;
    struct pp_clock *clock;
    struct pp_chunk *chunks; /* [chunk_count] */
    int chunk_count;
    real *scratch;
    real *block; /* of re-computation: what is alone (pp_block_alone), dead between
                  * ops; NULL where there is none */
    struct pp_pool wires;
    struct pp_channel channel;
    struct pp_reducer reducer;
    struct pp_meter meter; /* what is held between ops, over all chunks: from F to B or
                            * I activations and transients, or inputs; from I to W
                            * activations and the gradients that W needs, its stage's
                            * output_grad too. And what is computed again, while it
                            * is gone through */
    int32_t *tokens;       /* [microbatches] (B, T) if it holds a first stage */
    int32_t *targets;      /* [microbatches] (B, T) if it holds a last stage */
    /* Called after each with look_data, to find what is wrong; NULL: nobody looks. */
    void (*look)(void *look_data, const struct pp_look *look);
    void *look_data;
    double *loss_sums; /* [microbatches] of a last stage: nats */
};

/* Allocates everything a step needs, sized from the schedule, and touches it. layers_of
 * [stages] as from pp_partition. The world, schedule and clock outlive the rank.
 * On failure the rank may only be released. */
int pp_rank_init(struct pp_rank *rank, const struct pp_world *world,
                 const struct pp_schedule *schedule,
                 const struct pp_model_config *config, const int *layers_of,
                 struct pp_clock *clock, struct pp_error *error);
void pp_rank_release(struct pp_rank *rank);

/* Executes this rank's ops of one step, and writes spans[k] and, unless NULL, cpu[k]
 * for its k-th op. Gradients accumulate into the stages' grads, where there are several
 * weight copies into each one's own, and are then summed over them; tokens and targets
 * must be set. */
void pp_rank_step(struct pp_rank *rank, struct pp_span *spans, struct pp_cpu *cpu);

/* The chunk that holds this stage of the copy, NULL if another rank does. */
struct pp_chunk *pp_rank_chunk(const struct pp_rank *rank, int copy, int stage);

/* Does the rank hold this stage of any copy? */
bool pp_rank_holds(const struct pp_rank *rank, int stage);

#endif
