#include "run/rank.h"

#include <stdlib.h>

#include "run/buffers.h"
#include "run/status.h"
#include "schedule/walk.h"

struct pp_chunk *pp_rank_chunk(const struct pp_rank *rank, int copy, int stage)
{
    size_t place = pp_place(rank->schedule, copy, stage);
    if (rank->schedule->rank_of[place] != rank->world->rank)
        return NULL;
    return &rank->chunks[rank->schedule->chunk_of[place]];
}

bool pp_rank_holds(const struct pp_rank *rank, int stage)
{
    bool holds = false;
    for (int c = 0; c < rank->schedule->copies; c++)
        holds |= pp_rank_chunk(rank, c, stage) != NULL;
    return holds;
}

/* The chunk that runs the op, NULL if it is another rank's. */
static struct pp_chunk *chunk_of(const struct pp_rank *rank, struct pp_op op)
{
    return pp_rank_chunk(rank, pp_copy_of(rank->schedule, op.microbatch),
                         (int)op.stage);
}

static struct pp_pass pass_of(const struct pp_rank *rank, const struct pp_chunk *chunk,
                              int microbatch)
{
    const struct pp_slot *slot = &chunk->slots[microbatch];
    size_t tokens = (size_t)rank->config.microbatch_size * (size_t)rank->config.seq_len;
    size_t at = (size_t)microbatch * tokens;
    return (struct pp_pass){
        .tokens = rank->tokens ? rank->tokens + at : NULL,
        .targets = rank->targets ? rank->targets + at : NULL,
        .input = slot->input ? slot->input->data : NULL,
        .kept = {.transients = slot->transients,
                 .activations = slot->activations,
                 .inputs = slot->inputs},
        .output_grad = slot->output_grad ? slot->output_grad->data : NULL,
        .gradients = slot->gradients,
        .loss_scale =
            (real)(1.0 / ((double)rank->schedule->microbatches * (double)tokens)),
    };
}

static void give_wire(struct pp_rank *rank, struct pp_wire **wire)
{
    if (*wire)
        pp_pool_give(&rank->wires, *wire);
    *wire = NULL;
}

/* A microbatch's buffer is taken, and held from now on. */
static real *hold(struct pp_rank *rank, struct pp_pool *pool)
{
    pp_meter_add(&rank->meter, 0, (int64_t)pool->bytes);
    return pp_pool_take(pool);
}

static void let_go(struct pp_rank *rank, struct pp_pool *pool, real **buffer)
{
    pp_meter_add(&rank->meter, 0, -(int64_t)pool->bytes);
    pp_pool_give(pool, *buffer);
    *buffer = NULL;
}

static bool computes_again(const struct pp_rank *rank)
{
    return rank->config.recompute != PP_RECOMPUTE_NONE;
}

static void hold_activations(struct pp_rank *rank, struct pp_chunk *chunk,
                             struct pp_slot *slot)
{
    slot->transients = hold(rank, &chunk->transients);
    slot->activations = hold(rank, &chunk->activations);
}

static struct pp_kept block_alone(const struct pp_rank *rank,
                                  const struct pp_chunk *chunk,
                                  const struct pp_slot *slot)
{
    struct pp_kept kept = pp_block_alone(&chunk->model, rank->block);
    kept.inputs = slot->inputs;
    return kept;
}

static void look(const struct pp_rank *rank, const struct pp_chunk *chunk,
                 enum pp_kind kind, int microbatch, const struct pp_pass *pass,
                 const real *output)
{
    if (rank->look)
        rank->look(rank->look_data, &(struct pp_look){kind, chunk->stage, microbatch,
                                                      &chunk->model, pass, output});
}

static void forward(struct pp_rank *rank, struct pp_chunk *chunk, int microbatch,
                    real *output)
{
    struct pp_slot *slot = &chunk->slots[microbatch];
    bool again = computes_again(rank);
    pp_meter_add(&rank->meter, 1, 0);
    if (again)
        slot->inputs = hold(rank, &chunk->inputs);
    else
        hold_activations(rank, chunk, slot);
    struct pp_pass pass = pass_of(rank, chunk, microbatch);
    if (again)
        pass.kept = block_alone(rank, chunk, slot);
    pp_stage_forward(&chunk->model, &pass, output, &rank->loss_sums[microbatch]);
    look(rank, chunk, PP_F, microbatch, &pass, output);
    give_wire(rank, &slot->input);
}

static void recompute(struct pp_rank *rank, struct pp_chunk *chunk, int microbatch)
{
    struct pp_slot *slot = &chunk->slots[microbatch];
    hold_activations(rank, chunk, slot);
    pp_meter_look(&rank->meter);
    struct pp_pass pass = pass_of(rank, chunk, microbatch);
    pp_stage_recompute(&chunk->model, &pass);
    let_go(rank, &chunk->inputs, &slot->inputs);
}

/* What only this half reads is free for the next microbatch. */
static void backward_input(struct pp_rank *rank, struct pp_chunk *chunk, int microbatch,
                           real *input_grad)
{
    struct pp_slot *slot = &chunk->slots[microbatch];
    if (computes_again(rank))
        recompute(rank, chunk, microbatch);
    slot->gradients = hold(rank, &chunk->gradients);
    struct pp_pass pass = pass_of(rank, chunk, microbatch);
    pp_stage_backward_input(&chunk->model, &pass, input_grad);
    look(rank, chunk, PP_I, microbatch, &pass, input_grad);
    let_go(rank, &chunk->transients, &slot->transients);
    if (slot->output_grad)
        pp_meter_add(&rank->meter, 0, (int64_t)rank->wires.bytes);
}

static void backward_weight(struct pp_rank *rank, struct pp_chunk *chunk,
                            int microbatch)
{
    struct pp_slot *slot = &chunk->slots[microbatch];
    struct pp_pass pass = pass_of(rank, chunk, microbatch);
    pp_stage_backward_weight(&chunk->model, &pass);
    look(rank, chunk, PP_W, microbatch, &pass, NULL);
    pp_meter_add(&rank->meter, -1, 0);
    let_go(rank, &chunk->activations, &slot->activations);
    let_go(rank, &chunk->gradients, &slot->gradients);
    if (slot->output_grad)
        pp_meter_add(&rank->meter, 0, -(int64_t)rank->wires.bytes);
    give_wire(rank, &slot->output_grad);
}

/* Both halves, with the activations of one block at a time. */
static void backward_by_block(struct pp_rank *rank, struct pp_chunk *chunk,
                              int microbatch, real *input_grad)
{
    struct pp_slot *slot = &chunk->slots[microbatch];
    int64_t bytes = (int64_t)(pp_block_reals(&chunk->model) * sizeof(real));
    pp_meter_add(&rank->meter, 0, bytes);
    pp_meter_look(&rank->meter);
    slot->gradients = pp_pool_take(&chunk->gradients);
    struct pp_pass pass = pass_of(rank, chunk, microbatch);
    pass.kept = block_alone(rank, chunk, slot);
    pp_stage_backward_by_block(&chunk->model, &pass, input_grad);
    pp_pool_give(&chunk->gradients, slot->gradients);
    pp_meter_add(&rank->meter, -1, -bytes);
    let_go(rank, &chunk->inputs, &slot->inputs);
    give_wire(rank, &slot->output_grad);
    slot->gradients = NULL;
}

/* From this microbatch on the first that belongs to the chunk's copy. */
static int own_from(const struct pp_rank *rank, const struct pp_chunk *chunk,
                    int microbatch)
{
    const struct pp_schedule *schedule = rank->schedule;
    while (microbatch < schedule->microbatches &&
           pp_copy_of(schedule, (uint32_t)microbatch) != chunk->copy)
        microbatch++;
    return microbatch;
}

/* Weight gradients accumulate in ascending order of the copy's microbatches whatever
 * the schedule, so that their sums are bitwise those of the sequential run. A W that
 * comes before its turn is held back until the op that makes it due. */
static void weights_due(struct pp_rank *rank, struct pp_chunk *chunk)
{
    while (chunk->next_weight < rank->schedule->microbatches &&
           chunk->slots[chunk->next_weight].weight_due) {
        chunk->slots[chunk->next_weight].weight_due = false;
        backward_weight(rank, chunk, chunk->next_weight);
        chunk->next_weight = own_from(rank, chunk, chunk->next_weight + 1);
    }
}

static void weight_turn(struct pp_rank *rank, struct pp_chunk *chunk, int microbatch)
{
    chunk->slots[microbatch].weight_due = true;
    weights_due(rank, chunk);
}

static void backward(struct pp_rank *rank, struct pp_chunk *chunk, int microbatch,
                     real *input_grad)
{
    bool by_block = rank->config.recompute == PP_RECOMPUTE_BLOCK &&
                    chunk->next_weight == microbatch;
    if (by_block) {
        backward_by_block(rank, chunk, microbatch, input_grad);
        chunk->next_weight = own_from(rank, chunk, microbatch + 1);
        weights_due(rank, chunk);
        return;
    }
    backward_input(rank, chunk, microbatch, input_grad);
    weight_turn(rank, chunk, microbatch);
}

/* Computes one op; its output goes into the wire, if it has one. */
static void compute(struct pp_rank *rank, struct pp_op op, struct pp_wire *output)
{
    struct pp_chunk *chunk = chunk_of(rank, op);
    int microbatch = (int)op.microbatch;
    real *result = output ? output->data : NULL;

    switch ((enum pp_kind)op.kind) {
    case PP_F:
        forward(rank, chunk, microbatch, result);
        break;
    case PP_B:
        backward(rank, chunk, microbatch, result);
        break;
    case PP_I:
        backward_input(rank, chunk, microbatch, result);
        break;
    case PP_W:
        weight_turn(rank, chunk, microbatch);
        break;
    }
    pp_meter_look(&rank->meter);
}

/* Where an op finds the wire that it takes: a chunk's slot. */
static struct pp_wire **input_of(struct pp_rank *rank, struct pp_op op)
{
    struct pp_slot *slot = &chunk_of(rank, op)->slots[op.microbatch];
    return op.kind == PP_F ? &slot->input : &slot->output_grad;
}

/* Waits for what the op needs, and notes when it came. */
static void take_input(struct pp_rank *rank, struct pp_op op, struct pp_span *span)
{
    struct pp_op producer;
    if (!pp_producer(rank->schedule, op, &producer))
        return;
    struct pp_wire **input = input_of(rank, op);
    if (pp_channel_expects(&rank->channel, op))
        *input = pp_channel_take(&rank->channel);
    span->arrived = (*input)->arrived;
}

/* Passes an op's output on: by pointer to a stage of this rank, as a message to
 * another. */
static void release_output(struct pp_rank *rank, struct pp_op op, struct pp_wire *wire,
                           int64_t end)
{
    struct pp_op consumer;
    if (!wire)
        return;
    wire->sent = wire->arrived = end;
    pp_consumer(rank->schedule, op, &consumer);
    if (chunk_of(rank, consumer))
        *input_of(rank, consumer) = wire;
    else
        pp_channel_send(&rank->channel, op, wire);
}

/* After the last weight op of a copy's stage its gradient is complete. */
static void send_gradient(struct pp_rank *rank, struct pp_op op, int64_t end)
{
    struct pp_chunk *chunk = chunk_of(rank, op);
    bool made = op.kind == PP_B || op.kind == PP_W;
    if (made && chunk->next_weight == rank->schedule->microbatches)
        pp_reducer_send(&rank->reducer, chunk->copy, chunk->stage, end);
}

/* Times an op, on the rank's clock and, unless cpu is NULL, by its thread's CPU time.
 * waited_from: CPU time at the end of the op before; it becomes that of this one. */
static void run_op(struct pp_rank *rank, struct pp_op op, struct pp_wire *output,
                   int64_t arrived, struct pp_span *span, struct pp_cpu *cpu,
                   int64_t *waited_from)
{
    pp_note_op(op);
    span->start = pp_clock_begin(rank->clock, arrived);
    int64_t begin = cpu ? pp_clock_cpu() : 0;
    compute(rank, op, output);
    if (cpu) {
        int64_t end = pp_clock_cpu();
        *cpu = (struct pp_cpu){.wait = begin - *waited_from, .op = end - begin};
        *waited_from = end;
    }
    span->end = pp_clock_end(rank->clock, span->start);
}

void pp_rank_step(struct pp_rank *rank, struct pp_span *spans, struct pp_cpu *cpu)
{
    const struct pp_schedule *schedule = rank->schedule;
    const struct pp_op *ops = schedule->ops + schedule->first[rank->world->rank];
    size_t count =
        schedule->first[rank->world->rank + 1] - schedule->first[rank->world->rank];
    int64_t origin = pp_clock_now(rank->clock), waited_from = 0;
    for (int c = 0; c < rank->chunk_count; c++)
        rank->chunks[c].next_weight = own_from(rank, &rank->chunks[c], 0);
    pp_channel_start(&rank->channel);
    pp_reducer_start(&rank->reducer);

    for (size_t k = 0; k < count;) {
        /* A joined pair waits for both inputs and releases both outputs at its end. */
        size_t together = ops[k].joined ? 2 : 1;
        struct pp_wire *outputs[2] = {NULL, NULL};
        int64_t before = k > 0 ? spans[k - 1].end : origin, arrived = before;
        for (size_t j = 0; j < together; j++) {
            struct pp_span *span = &spans[k + j];
            struct pp_op consumer;
            span->arrived = before;
            take_input(rank, ops[k + j], span);
            arrived = span->arrived > arrived ? span->arrived : arrived;
            if (pp_consumer(schedule, ops[k + j], &consumer))
                outputs[j] = pp_pool_take(&rank->wires);
        }
        for (size_t j = 0; j < together; j++)
            run_op(rank, ops[k + j], outputs[j], arrived, &spans[k + j],
                   cpu ? &cpu[k + j] : NULL, &waited_from);
        for (size_t j = 0; j < together; j++)
            release_output(rank, ops[k + j], outputs[j], spans[k + together - 1].end);
        for (size_t j = 0; j < together; j++)
            send_gradient(rank, ops[k + j], spans[k + j].end);
        k += together;
    }
    if (cpu && count > 0)
        cpu[0].wait = 0; /* it began before the step did */
    pp_channel_finish(&rank->channel);
    pp_reducer_finish(&rank->reducer);
}

static int init_chunk(struct pp_rank *rank, int c, const int *layers_of,
                      const struct pp_buffer_counts *counts, struct pp_error *error)
{
    const struct pp_schedule *schedule = rank->schedule;
    struct pp_chunk *chunk = &rank->chunks[c];
    int place = pp_schedule_chunk(schedule, rank->world->rank, c);
    chunk->copy = place / schedule->stages;
    chunk->stage = place % schedule->stages;
    int first_layer = 0;
    for (int s = 0; s < chunk->stage; s++)
        first_layer += layers_of[s];
    if (pp_stage_init(&chunk->model, &rank->config, first_layer,
                      layers_of[chunk->stage], chunk->stage == 0,
                      chunk->stage == schedule->stages - 1, error) != 0)
        return -1;
    chunk->slots = calloc((size_t)schedule->microbatches, sizeof *chunk->slots);
    if (!chunk->slots)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d microbatches",
                       schedule->microbatches);
    const struct pp_stage *model = &chunk->model;
    const struct {
        struct pp_pool *pool;
        size_t reals;
        int count;
    } pools[] = {
        {&chunk->transients, pp_stage_transient_count(model), counts->transients[c]},
        {&chunk->activations, pp_stage_activation_count(model), counts->activations[c]},
        {&chunk->gradients, pp_stage_gradient_count(model), counts->gradients[c]},
        {&chunk->inputs, pp_stage_input_count(model), counts->inputs[c]},
    };
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        if (pp_pool_init(pools[i].pool, pools[i].reals * sizeof(real), pools[i].count,
                         error) != 0)
            return -1;
    }
    return 0;
}

/* Scratch for the stage that needs most, and the step's tokens where they are used. */
static int init_shared(struct pp_rank *rank, struct pp_error *error)
{
    size_t scratch = 0, block = 0;
    size_t m = (size_t)rank->schedule->microbatches;
    size_t tokens =
        m * (size_t)rank->config.microbatch_size * (size_t)rank->config.seq_len;
    for (int c = 0; c < rank->chunk_count; c++) {
        size_t count = pp_stage_scratch_count(&rank->chunks[c].model);
        size_t reals = pp_block_reals(&rank->chunks[c].model);
        scratch = count > scratch ? count : scratch;
        block = reals > block ? reals : block;
    }
    rank->scratch = pp_touched_alloc(scratch * sizeof(real));
    if (computes_again(rank))
        rank->block = pp_touched_alloc(block * sizeof(real));
    rank->loss_sums = calloc(m, sizeof *rank->loss_sums);
    bool first = pp_rank_holds(rank, 0);
    bool last = pp_rank_holds(rank, rank->schedule->stages - 1);
    if (first)
        rank->tokens = calloc(tokens, sizeof *rank->tokens);
    if (last)
        rank->targets = calloc(tokens, sizeof *rank->targets);
    if (!rank->scratch || (computes_again(rank) && !rank->block) || !rank->loss_sums ||
        (first && !rank->tokens) || (last && !rank->targets))
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the step's data");
    return 0;
}

static int init_reducer(struct pp_rank *rank, struct pp_error *error)
{
    struct pp_gradient *own = calloc((size_t)rank->chunk_count + 1, sizeof *own);
    if (!own)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                       rank->chunk_count);
    for (int c = 0; c < rank->chunk_count; c++)
        own[c] = (struct pp_gradient){rank->chunks[c].model.grads,
                                      rank->chunks[c].model.real_count};
    int status = pp_reducer_init(&rank->reducer, rank->world, rank->schedule,
                                 rank->clock, own, error);
    free(own);
    return status;
}

int pp_rank_init(struct pp_rank *rank, const struct pp_world *world,
                 const struct pp_schedule *schedule,
                 const struct pp_model_config *config, const int *layers_of,
                 struct pp_clock *clock, struct pp_error *error)
{
    struct pp_buffer_counts counts = {0};
    int status = -1;
    *rank = (struct pp_rank){
        .world = world,
        .schedule = schedule,
        .config = *config,
        .clock = clock,
        .chunks = calloc((size_t)schedule->held, sizeof *rank->chunks),
    };
    rank->chunk_count = pp_schedule_held(schedule, world->rank);
    if (!rank->chunks)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                       schedule->held);
    if (pp_buffer_counts_init(&counts, schedule, config->recompute, world->rank,
                              error) != 0)
        return -1;
    for (int c = 0; c < rank->chunk_count; c++) {
        if (init_chunk(rank, c, layers_of, &counts, error) != 0)
            goto done;
    }
    size_t message = (size_t)pp_wire_bytes(config);
    if (init_shared(rank, error) != 0 ||
        pp_pool_init(&rank->wires, message, counts.wires, error) != 0 ||
        pp_channel_init(&rank->channel, world, schedule, clock, &rank->wires,
                        (int)message, error) != 0 ||
        init_reducer(rank, error) != 0)
        goto done;
    /* Inside an op only the wall clock's transfers have something to gain from
     * progress; the virtual clock would count it as compute. */
    for (int c = 0; c < rank->chunk_count; c++) {
        struct pp_stage *model = &rank->chunks[c].model;
        model->scratch = rank->scratch;
        model->poll = clock->kind == PP_CLOCK_WALL ? pp_channel_poll : NULL;
        model->poll_data = &rank->channel;
    }
    status = 0;
done:
    pp_buffer_counts_release(&counts);
    return status;
}

void pp_rank_release(struct pp_rank *rank)
{
    pp_reducer_release(&rank->reducer);
    for (int c = 0; rank->chunks && c < rank->chunk_count; c++) {
        struct pp_chunk *chunk = &rank->chunks[c];
        pp_stage_release(&chunk->model);
        pp_pool_release(&chunk->transients);
        pp_pool_release(&chunk->activations);
        pp_pool_release(&chunk->gradients);
        pp_pool_release(&chunk->inputs);
        free(chunk->slots);
    }
    pp_channel_release(&rank->channel);
    pp_pool_release(&rank->wires);
    free(rank->chunks);
    free(rank->scratch);
    free(rank->block);
    free(rank->tokens);
    free(rank->targets);
    free(rank->loss_sums);
    *rank = (struct pp_rank){0};
}
