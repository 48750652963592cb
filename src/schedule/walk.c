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
    const size_t line = 64 / sizeof *walk->released;
    size_t row = line * (((size_t)schedule->microbatches + line - 1) / line | 1);
    size_t outputs = 2 * (size_t)schedule->stages * row;
    *walk = (struct pp_walk){
        .schedule = schedule,
        .position = malloc(ranks * sizeof *walk->position),
        .released = calloc(outputs, sizeof *walk->released),
        .row = row,
        .block = malloc(ranks * sizeof *walk->block),
        .runnable = malloc(ranks * sizeof *walk->runnable),
    };
    if (!walk->position || !walk->released || !walk->runnable || !walk->block) {
        pp_walk_release(walk);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a walk over %zu ops",
                       pp_schedule_ops(schedule));
    }
    pp_large_pages(walk->released, outputs * sizeof *walk->released);
    memcpy(walk->position, schedule->first, ranks * sizeof *walk->position);
    for (int r = 0; r < schedule->ranks; r++)
        pp_walk_fetch(walk, r, schedule->first[r]);
    return 0;
}

void pp_walk_release(struct pp_walk *walk)
{
    free(walk->position);
    free(walk->released);
    free(walk->block);
    free(walk->runnable);
    *walk = (struct pp_walk){0};
}
