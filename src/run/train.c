#include "run/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/status.h"
#include "run/stop.h"

static int allocate(struct pp_trainer *trainer, struct pp_error *error)
{
    struct pp_rank *rank = &trainer->rank;
    size_t wte = (size_t)rank->config.vocab * (size_t)rank->config.d_model;
    bool exchange = pp_tensors_exchange(&trainer->tensors);
    trainer->moments = calloc((size_t)rank->chunk_count, sizeof *trainer->moments);
    trainer->squares = calloc((size_t)trainer->tensors.count, sizeof(double));
    trainer->unused = calloc((size_t)rank->config.seq_len, sizeof *trainer->unused);
    if (exchange)
        trainer->tie = calloc(wte, sizeof *trainer->tie);
    bool failed = !trainer->moments || !trainer->squares || !trainer->unused ||
                  (exchange && !trainer->tie);
    for (int c = 0; !failed && c < rank->chunk_count; c++) {
        size_t count = 2 * rank->chunks[c].model.real_count;
        if (trainer->config->optimizer.kind == PP_SGD)
            continue;
        trainer->moments[c] = pp_touched_alloc(count * sizeof(float));
        failed = !trainer->moments[c];
    }
    if (failed)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the optimizer");
    return 0;
}

int pp_trainer_init(struct pp_trainer *trainer, const struct pp_run_config *config,
                    const struct pp_world *world, const struct pp_schedule *schedule,
                    const int *layers_of, struct pp_clock *clock,
                    struct pp_error *error)
{
    *trainer = (struct pp_trainer){
        .config = config,
        .world = world,
        .schedule = schedule,
        .clock = clock,
        .layers_of = layers_of,
    };
    trainer->tensors = (struct pp_tensors){
        .rank = &trainer->rank,
        .layers_of = layers_of,
        .count = pp_model_tensor_count(&config->model),
    };
    int status = pp_corpus_init(&trainer->corpus, config->data, config->seed,
                                config->model.vocab, config->model.seq_len, error);
    if (status == 0)
        status = pp_rank_init(&trainer->rank, world, schedule, &config->model,
                              layers_of, clock, error);
    if (status == 0)
        status = allocate(trainer, error);
    if (status == 0 && config->eval_every > 0)
        status = pp_evaluator_init(&trainer->evaluator, config, &trainer->rank, error);
    if (pp_agree(world, status, error) != 0)
        return -1;
    return pp_tensors_load(&trainer->tensors, config->load, config->seed, error);
}

void pp_trainer_release(struct pp_trainer *trainer)
{
    for (int c = 0; trainer->moments && c < trainer->rank.chunk_count; c++)
        free(trainer->moments[c]);
    free(trainer->moments);
    free(trainer->tie);
    free(trainer->squares);
    free(trainer->unused);
    pp_evaluator_release(&trainer->evaluator);
    pp_rank_release(&trainer->rank);
    pp_corpus_release(&trainer->corpus);
    *trainer = (struct pp_trainer){0};
}

/* The step's tokens and targets: each rank draws those that it needs. */
static int draw(struct pp_trainer *trainer, int step, struct pp_error *error)
{
    struct pp_rank *rank = &trainer->rank;
    size_t T = (size_t)rank->config.seq_len;
    int64_t samples =
        (int64_t)trainer->schedule->microbatches * rank->config.microbatch_size;
    int status = 0;
    if (!rank->tokens && !rank->targets)
        return 0;
    for (int64_t i = 0; i < samples && status == 0; i++)
        status = pp_corpus_sample(
            &trainer->corpus, step, i,
            rank->tokens ? rank->tokens + (size_t)i * T : trainer->unused,
            rank->targets ? rank->targets + (size_t)i * T : trainer->unused, error);
    return status;
}

/* Clips by the global norm, as torch.nn.utils.clip_grad_norm_ does, and updates.
 * Returns the norm. */
static double update(struct pp_trainer *trainer, int step)
{
    const struct pp_run_config *config = trainer->config;
    double norm = pp_tensors_norm(&trainer->tensors, trainer->squares), factor = 1;
    if (!isfinite(norm))
        return norm;
    if (config->clip_norm > 0)
        factor = config->clip_norm / (norm + 1e-6);
    for (int c = 0; c < trainer->rank.chunk_count; c++) {
        struct pp_stage *stage = &trainer->rank.chunks[c].model;
        float *first = trainer->moments[c];
        pp_optimizer_step(&config->optimizer, step, factor < 1 ? (float)factor : 1.0f,
                          stage->real_count, stage->values, stage->grads, first,
                          first ? first + stage->real_count : NULL);
    }
    return norm;
}

/* The loss on a rank that has it, -INFINITY elsewhere: the maximum is the loss. Where
 * the microbatches' sums are spread over the ranks of several weight copies, they come
 * together first: adding the others' zeros is exact. */
static double local_loss(const struct pp_trainer *trainer)
{
    const struct pp_rank *rank = &trainer->rank;
    double sum = 0;
    if (trainer->schedule->copies > 1)
        pp_sum_doubles(trainer->world, rank->loss_sums,
                       trainer->schedule->microbatches);
    else if (!pp_rank_holds(rank, trainer->schedule->stages - 1))
        return -INFINITY;
    for (int i = 0; i < trainer->schedule->microbatches; i++)
        sum += rank->loss_sums[i];
    return sum / ((double)trainer->schedule->microbatches *
                  rank->config.microbatch_size * rank->config.seq_len);
}

/* One step, on every rank:
 *
 *     draw the step's data, clear the gradients
 *     barrier                          all ranks begin together
 *     run the rank's ops               F, B, I, W: the schedule (rank.c)
 *     sum the gradients over copies    R: where the weights are there more than once
 *     sum a tied embedding's gradient  between the first and the last stage
 *     gradient norm, clip, update      the norm is a sum over all ranks
 *     outcome                          a maximum over all ranks; so all know whether
 *                                      one was told to stop
 *
 * The gradients are those of the mean loss over the step's m B T tokens: the loss's
 * gradient is scaled by 1 / (m B T) where it starts (pass_of, rank.c), so nothing is
 * divided here. */
int pp_trainer_step(struct pp_trainer *trainer, int step, struct pp_span *spans,
                    struct pp_cpu *cpu, struct pp_outcome *outcome,
                    struct pp_error *error)
{
    const struct pp_schedule *schedule = trainer->schedule;
    struct pp_rank *rank = &trainer->rank;
    size_t ops = schedule->first[trainer->world->rank + 1] -
                 schedule->first[trainer->world->rank];
    pp_note_place(PP_OUTSIDE_OPS, step);
    /* Where it fails the rank goes on with what it has, since the others wait for it.
     */
    int drawn = draw(trainer, step, error);
    for (int c = 0; c < rank->chunk_count; c++)
        memset(rank->chunks[c].model.grads, 0,
               rank->chunks[c].model.real_count * sizeof(real));
    memset(rank->loss_sums, 0,
           (size_t)schedule->microbatches * sizeof *rank->loss_sums);
    pp_barrier(trainer->world);
    pp_clock_restart(trainer->clock);

    pp_rank_step(rank, spans, cpu);
    pp_note_place(PP_OUTSIDE_OPS, step);

    /* The virtual clock stands still outside of ops: the update's CPU time is added.
     * Where ranks share cores, which is what this clock is for, waiting for the others
     * is sleep and takes no CPU time. */
    int64_t update_begin = pp_clock_cpu();
    pp_tensors_tie(&trainer->tensors, trainer->tie);
    double norm = update(trainer, step);
    int64_t update_end = pp_clock_now(trainer->clock);
    if (trainer->clock->kind == PP_CLOCK_VIRTUAL)
        update_end += pp_clock_cpu() - update_begin;

    /* A step's outcome is spread over the ranks: one maximum brings it together. A
     * minimum is the maximum of the negatives. A NaN would get lost in a maximum, so it
     * travels as a flag. A rank without ops, or without the loss, has -INFINITY: it
     * leaves the others' alone. */
    enum {
        MINUS_FIRST_START,
        LAST_END,
        UPDATE_END,
        LOSS,
        LOSS_IS_NAN,
        STOP,
        NOT_DRAWN,
        QUANTITIES
    };
    double loss = local_loss(trainer);
    double most[QUANTITIES] = {
        [MINUS_FIRST_START] = ops > 0 ? -(double)spans[0].start : -INFINITY,
        [LAST_END] = ops > 0 ? (double)spans[ops - 1].end : -INFINITY,
        [UPDATE_END] = (double)update_end,
        [LOSS] = isnan(loss) ? -INFINITY : loss,
        [LOSS_IS_NAN] = isnan(loss),
        [STOP] = pp_stop_asked(),
        [NOT_DRAWN] = drawn != 0,
    };
    pp_max_doubles(trainer->world, most, QUANTITIES);
    *outcome = (struct pp_outcome){
        .loss = most[LOSS_IS_NAN] > 0 ? (double)NAN : most[LOSS],
        .norm = norm,
        .makespan = (int64_t)(most[LAST_END] + most[MINUS_FIRST_START]),
        .duration = (int64_t)(most[UPDATE_END] + most[MINUS_FIRST_START]),
        .stop = (int)most[STOP],
    };
    return most[NOT_DRAWN] > 0 ? pp_agree(trainer->world, drawn, error) : 0;
}
