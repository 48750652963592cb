#include "run/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "model/corpus.h"
#include "schedule/walk.h"

bool pp_evaluation_due(const struct pp_run_config *config, int step)
{
    return config->eval_every > 0 && step % config->eval_every == 0;
}

/* Groups of as many microbatches as there are ranks pass each stage one after the
 * other: no rank has to wait for one microbatch to come round before it takes the next.
 * Every rank's ops ascend by (group, stage, microbatch), and so do the dependencies:
 * nothing can block, wherever the stages are. */
static int forward_alone(struct pp_schedule *schedule,
                         const struct pp_schedule *training, int microbatches,
                         struct pp_error *error)
{
    int ranks = training->ranks;
    if (pp_schedule_init(schedule, ranks, training->stages, microbatches, PP_CUSTOM,
                         error) != 0)
        return -1;
    for (int s = 0; s < training->stages; s++)
        schedule->rank_of[s] = training->rank_of[s];
    pp_schedule_place(schedule);
    for (int r = 0; r < ranks; r++) {
        pp_schedule_begin_rank(schedule, r);
        for (int group = 0; group < microbatches; group += ranks) {
            for (int s = 0; s < training->stages; s++) {
                for (int i = group; i < group + ranks && i < microbatches; i++) {
                    if (schedule->rank_of[s] == r)
                        pp_push(schedule, PP_F, s, i);
                }
            }
        }
    }
    return pp_schedule_end(schedule, error);
}

/* Draws the samples; each rank keeps what it needs of them. */
static int draw(struct pp_evaluator *evaluator, const struct pp_run_config *config,
                struct pp_error *error)
{
    struct pp_corpus corpus;
    size_t T = (size_t)config->model.seq_len;
    int64_t count =
        (int64_t)evaluator->schedule.microbatches * config->model.microbatch_size;
    int32_t *unused = calloc(T, sizeof *unused);
    if (!unused)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for held-out data");
    int status = pp_corpus_init(&corpus, config->eval_data, config->seed,
                                config->model.vocab, config->model.seq_len, error);
    for (int64_t i = 0; i < count && status == 0; i++) {
        int32_t *tokens = evaluator->tokens, *targets = evaluator->targets;
        status = pp_corpus_held_out(&corpus, i, count,
                                    tokens ? tokens + (size_t)i * T : unused,
                                    targets ? targets + (size_t)i * T : unused, error);
    }
    pp_corpus_release(&corpus); /* nothing is left of it where it failed */
    free(unused);
    return status;
}

int pp_evaluator_init(struct pp_evaluator *evaluator,
                      const struct pp_run_config *config, struct pp_rank *rank,
                      struct pp_error *error)
{
    const struct pp_model_config *model = &config->model;
    struct pp_schedule *schedule = &evaluator->schedule;
    *evaluator = (struct pp_evaluator){.rank = rank};
    if (forward_alone(schedule, rank->schedule, config->eval_microbatches, error) != 0)
        return -1;
    bool first = pp_rank_chunk(rank, 0, 0);
    bool last = pp_rank_chunk(rank, 0, schedule->stages - 1);
    size_t m = (size_t)schedule->microbatches;
    size_t tokens = m * (size_t)model->microbatch_size * (size_t)model->seq_len;
    evaluator->inputs = calloc(m * (size_t)schedule->chunks, sizeof *evaluator->inputs);
    evaluator->loss_sums = calloc(m, sizeof *evaluator->loss_sums);
    evaluator->tokens = first ? calloc(tokens, sizeof *evaluator->tokens) : NULL;
    evaluator->targets = last ? calloc(tokens, sizeof *evaluator->targets) : NULL;
    if (!evaluator->inputs || !evaluator->loss_sums || (first && !evaluator->tokens) ||
        (last && !evaluator->targets))
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for %d held-out microbatches",
                       schedule->microbatches);
    if (draw(evaluator, config, error) != 0)
        return -1;
    return pp_channel_init(&evaluator->channel, rank->world, schedule, rank->clock,
                           &rank->wires, rank->channel.message_bytes, error);
}

void pp_evaluator_release(struct pp_evaluator *evaluator)
{
    pp_channel_release(&evaluator->channel);
    pp_schedule_release(&evaluator->schedule);
    free(evaluator->inputs);
    free(evaluator->tokens);
    free(evaluator->targets);
    free(evaluator->loss_sums);
    *evaluator = (struct pp_evaluator){0};
}

static struct pp_handed *input_of(struct pp_evaluator *evaluator, struct pp_op op)
{
    const struct pp_schedule *schedule = &evaluator->schedule;
    size_t row = (size_t)schedule->chunk_of[op.stage] * (size_t)schedule->microbatches;
    return &evaluator->inputs[row + op.microbatch];
}

static void compute(struct pp_evaluator *evaluator, struct pp_op op,
                    const struct pp_wire *input, struct pp_wire *output)
{
    const struct pp_rank *rank = evaluator->rank;
    struct pp_chunk *chunk = pp_rank_chunk(rank, 0, (int)op.stage);
    size_t tokens = (size_t)rank->config.microbatch_size * (size_t)rank->config.seq_len;
    size_t at = op.microbatch * tokens;
    bool keeps = rank->config.recompute == PP_RECOMPUTE_NONE;
    const struct pp_pass pass = {
        .tokens = evaluator->tokens ? evaluator->tokens + at : NULL,
        .targets = evaluator->targets ? evaluator->targets + at : NULL,
        .input = input ? input->data : NULL,
        .kept = keeps
                    ? (struct pp_kept){.transients = pp_pool_take(&chunk->transients),
                                       .activations = pp_pool_take(&chunk->activations)}
                    : pp_block_alone(&chunk->model, rank->block),
    };
    pp_stage_forward(&chunk->model, &pass, output ? output->data : NULL,
                     &evaluator->loss_sums[op.microbatch]);
    if (!keeps)
        return;
    pp_pool_give(&chunk->transients, pass.kept.transients);
    pp_pool_give(&chunk->activations, pass.kept.activations);
}

static void run_op(struct pp_evaluator *evaluator, struct pp_op op)
{
    struct pp_pool *wires = &evaluator->rank->wires;
    struct pp_wire *input = input_of(evaluator, op)->wire, *output = NULL;
    struct pp_op consumer;
    bool passes_on = pp_consumer(&evaluator->schedule, op, &consumer);
    if (pp_channel_expects(&evaluator->channel, op))
        input = pp_channel_take(&evaluator->channel);
    if (passes_on) {
        output = pp_pool_take(wires);
        output->sent = 0; /* nothing is timed */
    }
    compute(evaluator, op, input, output);
    if (input)
        pp_pool_give(wires, input);
    input_of(evaluator, op)->wire = NULL;
    if (passes_on && pp_rank_chunk(evaluator->rank, 0, (int)consumer.stage))
        input_of(evaluator, consumer)->wire = output;
    else if (passes_on)
        pp_channel_send(&evaluator->channel, op, output);
}

double pp_evaluate(struct pp_evaluator *evaluator)
{
    const struct pp_rank *rank = evaluator->rank;
    const struct pp_schedule *schedule = &evaluator->schedule;
    double sum = 0;
    pp_channel_start(&evaluator->channel);
    for (size_t k = schedule->first[rank->world->rank];
         k < schedule->first[rank->world->rank + 1]; k++)
        run_op(evaluator, schedule->ops[k]);
    pp_channel_finish(&evaluator->channel);
    for (int i = 0; i < schedule->microbatches; i++)
        sum += evaluator->loss_sums[i];

    /* The maximum over the ranks is the loss of the one that has it. A NaN would get
     * lost in it, so it travels as a flag. */
    enum { LOSS, IS_WRONG, QUANTITIES };
    bool has_it = evaluator->targets != NULL, wrong = has_it && !isfinite(sum);
    double most[QUANTITIES] = {
        [LOSS] = has_it && !wrong ? sum : -INFINITY,
        [IS_WRONG] = wrong,
    };
    pp_max_doubles(rank->world, most, QUANTITIES);
    if (most[IS_WRONG] > 0)
        return (double)NAN;
    return most[LOSS] / ((double)schedule->microbatches * rank->config.microbatch_size *
                         rank->config.seq_len);
}
