#include "search/times.h"

#include <math.h>
#include <stdlib.h>

/* The share of the mean rank's time in the cost. */
#define MEAN_SHARE 0.15

struct pp_rank_time {
    int next;     /* slot */
    int64_t free; /* when the rank can take it */
    int64_t time; /* its span or end, if it has no gap from now on */
    size_t waits; /* the output that it waits for; NOTHING */
};

struct pp_changed {
    size_t id;
    int64_t start;
};

static const size_t NOTHING = SIZE_MAX;

int pp_times_init(struct pp_times *times, const struct pp_problem *problem,
                  struct pp_error *error)
{
    size_t ranks = (size_t)problem->ranks;
    size_t rows = (size_t)problem->stages * PP_PARTS;
    size_t ops = rows * (size_t)problem->microbatches;
    *times = (struct pp_times){
        .problem = problem,
        .start = calloc(ops, sizeof *times->start),
        .ranks = calloc(ranks, sizeof *times->ranks),
        .done = calloc(rows, sizeof *times->done),
        .stack = calloc(ranks, sizeof *times->stack),
        .changed = calloc(ops, sizeof *times->changed),
    };
    if (times->start && times->ranks && times->done && times->stack && times->changed)
        return 0;
    pp_times_release(times);
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu ops", ops);
}

void pp_times_release(struct pp_times *times)
{
    free(times->start);
    free(times->ranks);
    free(times->done);
    free(times->stack);
    free(times->changed);
    *times = (struct pp_times){0};
}

/* When the rank is free behind this slot. */
static int64_t free_behind(const struct pp_times *times, struct pp_slot slot)
{
    const struct pp_part_row *row = &times->problem->rows[slot.row];
    return times->start[pp_slot_id(times->problem, slot)] + row->duration + row->after;
}

/* The rank's first slot that starts at that time or later. */
static int first_from(const struct pp_times *times, const struct pp_orders *orders,
                      int rank, int64_t time)
{
    const struct pp_slot *slots = pp_slots_of(orders, rank);
    int low = 0, high = orders->length;
    while (low < high) {
        int middle = (low + high) / 2;
        if (times->start[pp_slot_id(times->problem, slots[middle])] >= time)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* How many ops of the row stand before that slot of their rank. */
static int count_before(const struct pp_orders *orders, int row, int slot)
{
    int m = orders->problem->microbatches, low = 0, high = m;
    const int *position = &orders->position[(size_t)row * (size_t)m];
    while (low < high) {
        int middle = (low + high) / 2;
        if (position[middle] >= slot)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Puts the rank before that slot, and takes its work and gaps up to there. */
static void rewind_rank(struct pp_times *times, const struct pp_orders *orders,
                        int rank, int slot)
{
    const struct pp_problem *problem = times->problem;
    struct pp_rank_time *at = &times->ranks[rank];
    int per_rank = pp_rows_per_rank(problem);
    int64_t head = problem->head[rank], worked = 0;
    for (int k = 0; k < per_rank; k++) {
        int row = problem->rows_of[rank * per_rank + k];
        const struct pp_part_row *part = &problem->rows[row];
        times->done[row] = count_before(orders, row, slot);
        worked += times->done[row] * (part->before + part->duration + part->after);
    }
    at->next = slot;
    at->waits = NOTHING;
    at->free = slot > 0 ? free_behind(times, pp_slots_of(orders, rank)[slot - 1]) : 0;
    at->time = problem->work[rank];
    if (slot > 0) /* it took its first input in before its first start */
        at->time +=
            at->free - head - worked + problem->rows[pp_row(rank, PP_PART_F)].before;
    if (problem->objective == PP_LEAST_MAKESPAN)
        at->time += head;
}

static double share_of_mean(const struct pp_problem *problem)
{
    return MEAN_SHARE / problem->ranks;
}

double pp_times_cost(const struct pp_times *times)
{
    int64_t sum = 0;
    for (int r = 0; r < times->problem->ranks; r++)
        sum += times->ranks[r].time;
    return (double)pp_times_objective(times) +
           share_of_mean(times->problem) * (double)sum;
}

int64_t pp_times_objective(const struct pp_times *times)
{
    int64_t most = 0;
    for (int r = 0; r < times->problem->ranks; r++)
        most = times->ranks[r].time > most ? times->ranks[r].time : most;
    return most;
}

/* What the ranks take at least, as far as they are timed. */
struct least {
    int64_t longest;
    double sum, share, most;
};

/* The rank pauses. Returns whether the candidate is still of use. */
static bool add_gap(struct least *least, struct pp_rank_time *at, int64_t gap)
{
    at->time += gap;
    least->sum += (double)gap;
    if (at->time > least->longest)
        least->longest = at->time;
    return (double)least->longest + least->share * least->sum <= least->most;
}

/* Times the rank's ops until one lacks its input. Returns false if the candidate is of
 * no use. */
static bool go_on(struct pp_times *times, const struct pp_orders *orders, int rank,
                  struct least *least, int *runnable)
{
    const struct pp_problem *problem = times->problem;
    const struct pp_slot *slots = pp_slots_of(orders, rank);
    struct pp_rank_time *at = &times->ranks[rank];
    size_t m = (size_t)problem->microbatches;
    for (; at->next < orders->length; at->next++) {
        struct pp_slot slot = slots[at->next];
        const struct pp_part_row *row = &problem->rows[slot.row];
        size_t id = (size_t)slot.row * m + (size_t)slot.microbatch;
        int64_t start = at->free;
        if (row->producer >= 0) {
            size_t input = (size_t)row->producer * m + (size_t)slot.microbatch;
            if (slot.microbatch >= times->done[row->producer]) {
                at->waits = input;
                return true;
            }
            int64_t arrival = times->start[input] +
                              problem->rows[row->producer].duration + row->delay;
            if (arrival > start) {
                if (at->next > 0 && !add_gap(least, at, arrival - start))
                    return false;
                start = arrival;
            }
        }
        start += row->before;
        times->changed[times->changes++] = (struct pp_changed){id, times->start[id]};
        times->start[id] = start;
        times->done[slot.row]++;
        at->free = start + row->duration + row->after;
        if (row->consumer >= 0 && times->ranks[row->consumer].waits == id) {
            times->ranks[row->consumer].waits = NOTHING;
            times->stack[(*runnable)++] = row->consumer;
        }
    }
    return true;
}

/* Times the ops from where the ranks stand. */
static double go(struct pp_times *times, const struct pp_orders *orders, double most)
{
    const struct pp_problem *problem = times->problem;
    struct least least = {.share = share_of_mean(problem), .most = most};
    size_t left = 0;
    int runnable = 0;
    times->changes = 0;
    for (int r = problem->ranks - 1; r >= 0; r--) {
        struct pp_rank_time *at = &times->ranks[r];
        least.sum += (double)at->time;
        least.longest = at->time > least.longest ? at->time : least.longest;
        left += (size_t)(orders->length - at->next);
        times->stack[runnable++] = r;
    }
    if ((double)least.longest + least.share * least.sum > most)
        return INFINITY;
    while (runnable > 0) {
        if (!go_on(times, orders, times->stack[--runnable], &least, &runnable))
            return INFINITY;
    }
    return times->changes == left ? pp_times_cost(times) : INFINITY;
}

double pp_times_all(struct pp_times *times, const struct pp_orders *orders)
{
    for (int r = 0; r < times->problem->ranks; r++)
        rewind_rank(times, orders, r, 0);
    return go(times, orders, INFINITY);
}

double pp_times_from(struct pp_times *times, const struct pp_orders *orders, int rank,
                     int low, double most)
{
    if (low == 0)
        return pp_times_all(times, orders);
    int64_t since = free_behind(times, pp_slots_of(orders, rank)[low - 1]);
    for (int r = 0; r < times->problem->ranks; r++)
        rewind_rank(times, orders, r,
                    r == rank ? low : first_from(times, orders, r, since));
    return go(times, orders, most);
}

void pp_times_undo(struct pp_times *times)
{
    while (times->changes > 0) {
        const struct pp_changed *changed = &times->changed[--times->changes];
        times->start[changed->id] = changed->start;
    }
}
