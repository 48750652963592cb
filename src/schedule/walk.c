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
    size_t outputs = pp_walk_rows(schedule) * row;
    *walk = (struct pp_walk){
        .schedule = schedule,
        .ranks = malloc(ranks * sizeof *walk->ranks),
        .released = calloc(outputs, sizeof *walk->released),
        .row = row,
        .runnable = malloc(ranks * sizeof *walk->runnable),
    };
    if (!walk->ranks || !walk->released || !walk->runnable) {
        pp_walk_release(walk);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a walk over %zu ops",
                       pp_schedule_ops(schedule));
    }
    pp_large_pages(walk->released, outputs * sizeof *walk->released);
    for (size_t i = 0; i < row; i++) {
        walk->released[i] = 1;
        walk->released[(2 * (size_t)schedule->stages + 1) * row + i] = 1;
    }
    for (size_t r = 0; r < ranks; r++) {
        walk->ranks[r].next = schedule->first[r];
        walk->ranks[r].end = schedule->first[r + 1];
        pp_walk_fetch(walk, &walk->ranks[r]);
    }
    return 0;
}

void pp_walk_release(struct pp_walk *walk)
{
    free(walk->ranks);
    free(walk->released);
    free(walk->runnable);
    *walk = (struct pp_walk){0};
}
