#include "schedule/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

int pp_walk_init(struct pp_walk *walk, const struct pp_schedule *schedule,
                 struct pp_error *error)
{
    size_t ranks = (size_t)schedule->ranks;
    /* Rows of an odd number of cache lines, lest every stage's row begin in the same
     * set of the cache: all ranks go along their rows together. */
    const size_t line = 64 / sizeof *walk->releaser;
    size_t row = line * (((size_t)schedule->microbatches + line - 1) / line | 1);
    size_t outputs = 2 * (size_t)schedule->stages * row;
    if (pp_schedule_ops(schedule) >= UINT32_MAX)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' has %zu ops, more than the %u that can be counted",
                       schedule->name, pp_schedule_ops(schedule), UINT32_MAX - 1);
    *walk = (struct pp_walk){
        .schedule = schedule,
        .position = malloc(ranks * sizeof *walk->position),
        .releaser = calloc(outputs, sizeof *walk->releaser),
        .row = row,
        .runnable = malloc(ranks * sizeof *walk->runnable),
        .waits = calloc(ranks, 1),
    };
    if (!walk->position || !walk->releaser || !walk->runnable || !walk->waits) {
        pp_walk_release(walk);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a walk over %zu ops",
                       pp_schedule_ops(schedule));
    }
    pp_large_pages(walk->releaser, outputs * sizeof *walk->releaser);
    memcpy(walk->position, schedule->first, ranks * sizeof *walk->position);
    return 0;
}

void pp_walk_release(struct pp_walk *walk)
{
    free(walk->position);
    free(walk->releaser);
    free(walk->runnable);
    free(walk->waits);
    *walk = (struct pp_walk){0};
}
