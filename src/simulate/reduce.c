#include "simulate/reduce.h"

#include <stdlib.h>

/* A stage, and when its last copy's gradient is complete. */
struct due {
    int64_t ready;
    int stage;
};

static int compare(const void *a, const void *b)
{
    const struct due *x = a, *y = b;
    if (x->ready != y->ready)
        return x->ready < y->ready ? -1 : 1;
    return x->stage - y->stage;
}

static void find_due(const struct pp_timeline *timeline, struct due *due)
{
    const struct pp_schedule *schedule = timeline->schedule;
    for (int s = 0; s < schedule->stages; s++)
        due[s] = (struct due){.stage = s};
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        struct pp_op op = schedule->ops[k];
        int64_t end = timeline->spans[k].end;
        if ((op.kind == PP_B || op.kind == PP_W) && end > due[op.stage].ready)
            due[op.stage].ready = end;
    }
    qsort(due, (size_t)schedule->stages, sizeof *due, compare);
}

/* Runs R of the stage on the lanes of all its holders. */
static void reduce(const struct pp_costs *costs, struct pp_timeline *timeline,
                   const struct due *due, int64_t *lane_free)
{
    const struct pp_schedule *schedule = timeline->schedule;
    int64_t start = due->ready;
    for (int c = 0; c < schedule->copies; c++) {
        int rank = schedule->rank_of[pp_place(schedule, c, due->stage)];
        start = lane_free[rank] > start ? lane_free[rank] : start;
    }
    int64_t end = start + (costs->reduce ? costs->reduce[due->stage] : 0);
    for (int c = 0; c < schedule->copies; c++) {
        size_t place = pp_place(schedule, c, due->stage);
        int64_t *lane = &lane_free[schedule->rank_of[place]];
        bool served = *lane == end && end > start; /* by another copy of this rank */
        timeline->reductions[place] =
            (struct pp_span){served ? end : start, end, due->ready, due->ready};
        *lane = end;
    }
}

int pp_simulate_reductions(const struct pp_costs *costs, struct pp_timeline *timeline,
                           struct pp_error *error)
{
    const struct pp_schedule *schedule = timeline->schedule;
    if (!timeline->reductions)
        return 0;
    struct due *due = malloc((size_t)schedule->stages * sizeof *due);
    int64_t *lane_free = calloc((size_t)schedule->ranks, sizeof *lane_free);
    int status = 0;
    if (due && lane_free) {
        find_due(timeline, due);
        for (int i = 0; i < schedule->stages; i++)
            reduce(costs, timeline, &due[i], lane_free);
    } else {
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d reductions",
                         schedule->stages);
    }
    free(due);
    free(lane_free);
    return status;
}
