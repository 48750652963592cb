#include "schedule/walk.h"

#include <stdlib.h>

int pp_walk_init(struct pp_walk *walk, const struct pp_schedule *schedule,
                 struct pp_error *error)
{
    size_t ranks = (size_t)schedule->ranks;
    size_t outputs = 2 * (size_t)schedule->stages * (size_t)schedule->microbatches;
    *walk = (struct pp_walk){
        .schedule = schedule,
        .position = malloc(ranks * sizeof *walk->position),
        .done = calloc(outputs, 1),
        .runnable = malloc(ranks * sizeof *walk->runnable),
        .waits = calloc(ranks, 1),
    };
    if (!walk->position || !walk->done || !walk->runnable || !walk->waits) {
        pp_walk_release(walk);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a walk over %zu ops",
                       pp_schedule_ops(schedule));
    }
    memcpy(walk->position, schedule->first, ranks * sizeof *walk->position);
    return 0;
}

void pp_walk_release(struct pp_walk *walk)
{
    free(walk->position);
    free(walk->done);
    free(walk->runnable);
    free(walk->waits);
    *walk = (struct pp_walk){0};
}
