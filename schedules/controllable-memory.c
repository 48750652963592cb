/* V-Half and V-Min: zero bubble's ops on a V, with half and with about a third of
 * 1F1B's memory (Qi et al., Pipeline Parallelism with Controllable Memory, arXiv
 * 2405.15362, §3 and §4.2). Rank r holds the stages r and 2p-1-r.
 *
 * A schedule repeats one building block for each microbatch, 6 slots later each time:
 * as many as a rank's ops on a microbatch take. What a rank holds follows from the
 * block alone: how long it keeps a chunk's activations, over 6. So the block is chosen
 * for its memory, and the bubble is what that leaves. V-Min's on 3 ranks (F, I of the
 * rank's first stage, f, i of its second; every op takes a slot):
 *
 *     slot     0  1  2  3  4  5  6  7  8  9 10 11 12 13
 *     rank 0   F  .  .  .  .  f  .  .  i  .  .  .  .  I
 *     rank 1   .  F  .  .  f  .  .  .  .  i  .  .  I  .
 *     rank 2   .  .  F  f  .  .  .  .  .  .  i  I  .  .
 *
 * A rank holds its first stage for some 14 slots and its second for 4, or for 10 and 9,
 * and so on: about 18 on each rank, over 6 slots 3 chunks, where 1F1B's first rank
 * holds p microbatches of 2 chunks. Short lives leave no slack: where F, I and W
 * differ, V-Min's ranks wait for each other on every microbatch; V-Half's forwards go
 * down at half the speed, which costs memory and buys slack.
 *
 * The ranks are laid out together, slot by slot, as if every op took one slot:
 *  1. the block is repeated;
 *  2. warm-up: each op before the first backward moves to the first idle slot that its
 *     input allows;
 *  3. squeeze: in the order that this gives, each op starts as soon as it can;
 *  4. cool-down: each op after the last microbatch's entry moves like those of the
 *     warm-up, unless its rank would hold more than the repeated block does;
 *  5. W takes the first idle slot after its I.
 * The paper's authors search for both moves; these give the bubbles that they print. */
#include <stdbool.h>
#include <stdlib.h>

#include "schedules/rules.h"

/* A rank's ops on one microbatch, in the order in which they happen: forwards of its
 * first and second stage, then backwards for the input of the second and the first. */
enum { F0, F1, I1, I0, OPS };
enum { PERIOD = 6, IDLE = -1 }; /* slots: OPS, and a W for each I */

struct grid {
    int ranks, microbatches, slots;
    int *op;   /* [ranks][slots] what starts there: op * microbatches + microbatch, or
                * IDLE, which W may take */
    int *slot; /* [ranks][OPS][microbatches] where it starts */
    int limit; /* chunks in flight on a rank at most */
};

static int *op_at(const struct grid *grid, int rank, int slot)
{
    return &grid->op[(size_t)rank * (size_t)grid->slots + (size_t)slot];
}

static int *slot_of(const struct grid *grid, int rank, int op, int microbatch)
{
    return &grid->slot[((size_t)rank * OPS + (size_t)op) * (size_t)grid->microbatches +
                       (size_t)microbatch];
}

static void put(struct grid *grid, int rank, int code, int slot)
{
    *op_at(grid, rank, slot) = code;
    *slot_of(grid, rank, code / grid->microbatches, code % grid->microbatches) = slot;
}

/* The first slot that what an op needs leaves it: its input, from the rank before or
 * after, and the op of its kind on the microbatch before. */
static int earliest(const struct grid *grid, int rank, int op, int microbatch)
{
    int from = op == F0 || op == I1 ? rank - 1 : rank + 1;
    int slot = -1, other;
    if (from >= 0 && from < grid->ranks)
        slot = *slot_of(grid, from, op, microbatch);
    if (op > 0 && (other = *slot_of(grid, rank, op - 1, microbatch)) > slot)
        slot = other;
    if (microbatch > 0 && (other = *slot_of(grid, rank, op, microbatch - 1)) > slot)
        slot = other;
    return slot + 1;
}

/* What a rank has at some slot: chunks in flight, and how many of them wait for a W. */
struct load {
    int held, owed, peak;
};

/* Walks one slot; an idle one runs a W that is owed. Returns whether it does. */
static bool step(struct load *load, int op)
{
    if (op == F0 || op == F1)
        load->held++;
    else if (op != IDLE)
        load->owed++;
    bool weight = op == IDLE && load->owed > 0;
    load->held -= weight;
    load->owed -= weight;
    if (load->held > load->peak)
        load->peak = load->held;
    return weight;
}

static struct load walk(const struct grid *grid, int rank, struct load load, int first,
                        int end)
{
    for (int slot = first; slot < end; slot++) {
        int code = *op_at(grid, rank, slot);
        step(&load, code == IDLE ? IDLE : code / grid->microbatches);
    }
    return load;
}

/* Moves each op in the slots first to end-1 to the first idle one of them that its
 * input allows and that keeps its rank within the limit. */
static void move_early(struct grid *grid, int first, int end, struct load *loads)
{
    for (int rank = 0; rank < grid->ranks; rank++)
        loads[rank] = walk(grid, rank, (struct load){0}, 0, first);
    for (int slot = first; slot < end; slot++) {
        for (int rank = 0; rank < grid->ranks; rank++) {
            int code = *op_at(grid, rank, slot);
            if (code == IDLE)
                continue;
            int to = earliest(grid, rank, code / grid->microbatches,
                              code % grid->microbatches);
            *op_at(grid, rank, slot) = IDLE;
            for (to = to < first ? first : to; to < slot; to++) {
                if (*op_at(grid, rank, to) != IDLE)
                    continue;
                *op_at(grid, rank, to) = code;
                if (walk(grid, rank, loads[rank], first, end).peak <= grid->limit)
                    break;
                *op_at(grid, rank, to) = IDLE;
            }
            put(grid, rank, code, to);
        }
    }
}

/* Each op, W too, starts as soon as what it needs and its rank allow, the rank's order
 * unchanged. free_at, zeroed: the first slot that each rank has free. */
static void squeeze(struct grid *grid, int *free_at, struct load *loads)
{
    for (int rank = 0; rank < grid->ranks; rank++)
        loads[rank] = (struct load){0};
    for (int slot = 0; slot < grid->slots; slot++) {
        for (int rank = 0; rank < grid->ranks; rank++) {
            int code = *op_at(grid, rank, slot);
            int op = code == IDLE ? IDLE : code / grid->microbatches;
            free_at[rank] += step(&loads[rank], op);
            if (op == IDLE)
                continue;
            int to = earliest(grid, rank, op, code % grid->microbatches);
            to = to > free_at[rank] ? to : free_at[rank];
            *op_at(grid, rank, slot) = IDLE;
            put(grid, rank, code, to);
            free_at[rank] = to + 1;
        }
    }
}

/* Where the block's ops start on a rank: [OPS]. */
typedef void block_rule(int p, int rank, int *start);

/* Repeats the block in an empty grid, and sets the limit that it keeps. */
static void repeat(struct grid *grid, block_rule *block)
{
    for (size_t i = 0; i < (size_t)grid->ranks * (size_t)grid->slots; i++)
        grid->op[i] = IDLE;
    for (int rank = 0; rank < grid->ranks; rank++) {
        int start[OPS];
        block(grid->ranks, rank, start);
        for (int op = 0; op < OPS; op++)
            for (int i = 0; i < grid->microbatches; i++)
                put(grid, rank, op * grid->microbatches + i, start[op] + PERIOD * i);
        int peak = walk(grid, rank, (struct load){0}, 0, grid->slots).peak;
        if (peak > grid->limit)
            grid->limit = peak;
    }
}

static void write_rank(struct pp_schedule *schedule, const struct grid *grid, int rank)
{
    int m = grid->microbatches, stage[2] = {rank, 2 * grid->ranks - 1 - rank};
    int inputs[2] = {0}, weights[2] = {0}; /* done, by chunk */
    pp_schedule_begin_rank(schedule, rank);
    for (int slot = 0; weights[0] + weights[1] < 2 * m; slot++) {
        int code = slot < grid->slots ? *op_at(grid, rank, slot) : IDLE;
        int op = code == IDLE ? IDLE : code / m;
        int chunk = op == F1 || op == I1;
        if (op == F0 || op == F1) {
            pp_push(schedule, PP_F, stage[chunk], code % m);
        } else if (op != IDLE) {
            pp_push(schedule, PP_I, stage[chunk], inputs[chunk]++);
        } else {
            chunk = inputs[0] == weights[0];
            if (weights[chunk] < inputs[chunk])
                pp_push(schedule, PP_W, stage[chunk], weights[chunk]++);
        }
    }
}

static int generate(struct pp_schedule *schedule, block_rule *block,
                    struct pp_error *error)
{
    int p = schedule->ranks, m = schedule->microbatches, last = 0, first_backward = 0;
    for (int rank = 0; rank < p; rank++) {
        int start[OPS];
        block(p, rank, start);
        last = start[I0] > last ? start[I0] : last;
        if (rank == 0 || start[I1] < first_backward)
            first_backward = start[I1];
    }
    struct grid grid = {.ranks = p, .microbatches = m};
    grid.slots = last + PERIOD * (m - 1) + 1;
    grid.op = malloc((size_t)p * (size_t)grid.slots * sizeof *grid.op);
    grid.slot = malloc((size_t)p * OPS * (size_t)m * sizeof *grid.slot);
    int *free_at = calloc((size_t)p, sizeof *free_at);
    struct load *loads = malloc((size_t)p * sizeof *loads);
    int result = -1;
    if (!grid.op || !grid.slot || !free_at || !loads) {
        pp_fail(error, PP_ENVIRONMENT,
                "out of memory for a schedule of %d microbatches", m);
        goto done;
    }
    repeat(&grid, block);
    move_early(&grid, 0, first_backward, loads);
    squeeze(&grid, free_at, loads);
    int cool_down = *slot_of(&grid, 0, F0, m - 1) + 1;
    move_early(&grid, cool_down, grid.slots, loads);
    for (int rank = 0; rank < p; rank++)
        write_rank(schedule, &grid, rank);
    result = 0;
done:
    free(grid.op);
    free(grid.slot);
    free(free_at);
    free(loads);
    return result;
}

/* The blocks (§4.2 and appendix): in V-Half forwards of the first stage take two slots
 * a rank, which halves what the first ranks hold against ZB-V. Where ops of two
 * microbatches would meet in a slot, the backwards start later. */
static void half_block(int p, int rank, int *start)
{
    int later = p % 2 == 0 ? 3 : 0;
    start[F0] = 2 * rank;
    start[F1] = 3 * p - rank - 2;
    start[I1] = 3 * p + later + 2 * rank - 1;
    start[I0] = 6 * p + later - rank - 2;
}

static void min_block(int p, int rank, int *start)
{
    int later = p % 3 == 0 ? 2 : 0;
    start[F0] = rank;
    start[F1] = 2 * p - 1 - rank;
    start[I1] = 2 * p + later + rank;
    start[I0] = 4 * p + later - rank - 1;
}

static int generate_half(struct pp_schedule *schedule, struct pp_error *error)
{
    return generate(schedule, half_block, error);
}

static int generate_min(struct pp_schedule *schedule, struct pp_error *error)
{
    return generate(schedule, min_block, error);
}

/* slots: the bubble in slots, each half a rank's F. */
static bool in_slots(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                     int slots, struct pp_theory *theory, const char **why)
{
    if (costs->forward != costs->input || costs->input != costs->weight) {
        *why = "the form needs tF = tI = tW";
        return false;
    }
    if (costs->hop != 0) {
        *why = "the form needs free links";
        return false;
    }
    if (shape->microbatches < shape->ranks) {
        *why = "the form needs m >= p";
        return false;
    }
    double bubble = shape->ranks > 1 ? slots * costs->forward / 2 : 0;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = shape->microbatches * 3 * costs->forward + bubble,
        .exact = true,
    };
    return true;
}

static bool half_theory(const struct pp_shape *shape,
                        const struct pp_equal_costs *costs, struct pp_theory *theory,
                        const char **why)
{
    int p = shape->ranks;
    if (p == 2) {
        *why = "the form needs another number of ranks than 2";
        return false;
    }
    return in_slots(shape, costs, p % 2 == 0 ? 3 * p - 7 : 3 * p - 4, theory, why);
}

static bool min_theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                       struct pp_theory *theory, const char **why)
{
    int p = shape->ranks;
    return in_slots(shape, costs, p % 3 == 0 ? 4 * p - 7 : 4 * p - 5, theory, why);
}

const struct pp_scheduler pp_v_half = {
    .name = "v-half",
    .aliases = {"vhalf"},
    .summary = "half of 1F1B's memory, evenly: two stages per rank on a V",
    .bubble = "up to (3p-4)/6",
    .memory = "up to (p+2)/2",
    .messages = "4(p-1)",
    .source = "Pipeline Parallelism with Controllable Memory (arXiv 2405.15362)",
    .placement = PP_V,
    .default_chunks = 2,
    .generate_all = generate_half,
    .theory = half_theory,
    .checked = true,
};

const struct pp_scheduler pp_v_min = {
    .name = "v-min",
    .aliases = {"vmin"},
    .summary = "a third of 1F1B's memory, evenly: two stages per rank on a V",
    .bubble = "up to (4p-5)/6",
    .memory = "up to (p+4)/3",
    .messages = "4(p-1)",
    .source = "Pipeline Parallelism with Controllable Memory (arXiv 2405.15362)",
    .placement = PP_V,
    .default_chunks = 2,
    .generate_all = generate_min,
    .theory = min_theory,
    .checked = true,
};
