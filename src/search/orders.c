#include "search/orders.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"

int pp_orders_init(struct pp_orders *orders, const struct pp_problem *problem,
                   struct pp_error *error)
{
    size_t ops = (size_t)problem->ranks * (size_t)pp_ops_per_rank(problem);
    *orders = (struct pp_orders){
        .problem = problem,
        .length = pp_ops_per_rank(problem),
        .slots = calloc(ops, sizeof *orders->slots),
        .position = calloc(ops, sizeof *orders->position),
        .holding = calloc(ops, sizeof *orders->holding),
    };
    if (orders->slots && orders->position && orders->holding)
        return 0;
    pp_orders_release(orders);
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu ops", ops);
}

void pp_orders_release(struct pp_orders *orders)
{
    free(orders->slots);
    free(orders->position);
    free(orders->holding);
    *orders = (struct pp_orders){0};
}

void pp_orders_copy(struct pp_orders *to, const struct pp_orders *from)
{
    size_t ops = (size_t)from->problem->ranks * (size_t)from->length;
    memcpy(to->slots, from->slots, ops * sizeof *to->slots);
    memcpy(to->position, from->position, ops * sizeof *to->position);
    memcpy(to->holding, from->holding, ops * sizeof *to->holding);
}

/* Notes where the ops of these slots are and what is held. */
static void note(struct pp_orders *orders, int rank, int low, int high)
{
    const struct pp_problem *problem = orders->problem;
    const struct pp_slot *slots = pp_slots_of(orders, rank);
    int64_t *holding = &orders->holding[(size_t)rank * (size_t)orders->length];
    int64_t held = low > 0 ? holding[low - 1] : 0;
    for (int k = low; k <= high; k++) {
        orders->position[pp_slot_id(problem, slots[k])] = k;
        held += problem->rows[slots[k].row].holds;
        holding[k] = held;
    }
}

/* Does the op in slot k stand between those of its own stage and microbatch? */
static bool in_turn(const struct pp_orders *orders, struct pp_slot slot, int k)
{
    const int *position = orders->position;
    int m = orders->problem->microbatches;
    size_t id = pp_slot_id(orders->problem, slot);
    enum pp_part part = pp_part_of(slot.row);
    return (part == PP_PART_F || position[id - (size_t)m] < k) &&
           (part == PP_PART_W || position[id + (size_t)m] > k);
}

/* Are these slots possible? Only ops of that row are looked at for their turn; -1: all.
 */
static bool possible(const struct pp_orders *orders, int rank, int low, int high,
                     int row)
{
    const struct pp_slot *slots = pp_slots_of(orders, rank);
    const int64_t *holding = &orders->holding[(size_t)rank * (size_t)orders->length];
    int64_t limit = orders->problem->limit;
    for (int k = low; k <= high; k++) {
        const struct pp_part_row *at = &orders->problem->rows[slots[k].row];
        if (holding[k] > limit || holding[k] - at->holds + at->again > limit)
            return false;
        if ((row < 0 || slots[k].row == row) && !in_turn(orders, slots[k], k))
            return false;
    }
    return true;
}

bool pp_orders_settle(struct pp_orders *orders)
{
    bool all = true;
    for (int r = 0; r < orders->problem->ranks; r++)
        note(orders, r, 0, orders->length - 1);
    for (int r = 0; r < orders->problem->ranks; r++)
        all &= possible(orders, r, 0, orders->length - 1, -1);
    return all;
}

bool pp_orders_take(struct pp_orders *orders, const struct pp_schedule *schedule)
{
    const struct pp_problem *problem = orders->problem;
    int *next = orders->position; /* of each row: not in use yet */
    memset(next, 0, (size_t)problem->stages * PP_PARTS * sizeof *next);
    for (int r = 0; r < problem->ranks; r++) {
        struct pp_slot *slot = pp_slots_of(orders, r);
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            struct pp_op op = schedule->ops[k];
            int f = pp_row((int)op.stage, PP_PART_F);
            int i = pp_row((int)op.stage, PP_PART_I);
            int w = pp_row((int)op.stage, PP_PART_W);
            if (op.kind == PP_F)
                *slot++ = (struct pp_slot){f, next[f]++};
            if (op.kind == PP_I || op.kind == PP_B)
                *slot++ = (struct pp_slot){i, next[i]++};
            if (op.kind == PP_W || op.kind == PP_B)
                *slot++ = (struct pp_slot){w, next[w]++};
        }
    }
    return pp_orders_settle(orders);
}

/* The ops of the row get their microbatches in ascending order again, after one of them
 * has passed others. */
static void number(struct pp_slot *slots, int low, int high, int row)
{
    int first = -1;
    for (int k = low; k <= high; k++) {
        if (slots[k].row == row && (first < 0 || slots[k].microbatch < first))
            first = slots[k].microbatch;
    }
    for (int k = low; k <= high; k++) {
        if (slots[k].row == row)
            slots[k].microbatch = first++;
    }
}

bool pp_orders_move(struct pp_orders *orders, int rank, int from, int to)
{
    struct pp_slot *slots = pp_slots_of(orders, rank), moved = slots[from];
    int low = from < to ? from : to, high = from < to ? to : from;
    if (from < to)
        memmove(&slots[from], &slots[from + 1], (size_t)(to - from) * sizeof *slots);
    else
        memmove(&slots[to + 1], &slots[to], (size_t)(from - to) * sizeof *slots);
    slots[to] = moved;
    number(slots, low, high, moved.row);
    note(orders, rank, low, high);
    return possible(orders, rank, low, high, moved.row);
}

int pp_orders_write(const struct pp_orders *orders, const char *name,
                    struct pp_schedule *schedule, struct pp_error *error)
{
    static const enum pp_kind kind_of[PP_PARTS] = {PP_F, PP_I, PP_W};
    const struct pp_problem *problem = orders->problem;
    if (pp_schedule_init(schedule, problem->ranks, problem->stages,
                         problem->microbatches, problem->placement, error) != 0)
        return -1;
    pp_assign(schedule->name, sizeof schedule->name, "%s", name);
    for (int r = 0; r < problem->ranks; r++) {
        const struct pp_slot *slots = pp_slots_of(orders, r);
        pp_schedule_begin_rank(schedule, r);
        for (int k = 0; k < orders->length; k++)
            pp_push(schedule, kind_of[pp_part_of(slots[k].row)],
                    slots[k].row / PP_PARTS, slots[k].microbatch);
    }
    return pp_schedule_end(schedule, error);
}
