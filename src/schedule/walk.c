#include "schedule/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

int pp_walk_init(struct pp_walk *walk, const struct pp_schedule *schedule,
                 struct pp_error *error)
{
    size_t ranks = (size_t)schedule->ranks;
    /* All ranks go along their rows together. Rows of an odd number of cache lines
     * begin in different sets of the cache; rows of a power of two would all begin in
     * the same one, and drive each other out. */
    const size_t line = 64 / sizeof *walk->marks;
    size_t row = line * (((size_t)schedule->microbatches + line - 1) / line | 1);
    size_t outputs = pp_walk_rows(schedule) * row;
    *walk = (struct pp_walk){
        .schedule = schedule,
        .ranks = malloc(ranks * sizeof *walk->ranks),
        .marks = calloc(outputs, sizeof *walk->marks),
        .row = row,
        .runnable = malloc(ranks * sizeof *walk->runnable),
    };
    if (!walk->ranks || !walk->marks || !walk->runnable) {
        pp_walk_release(walk);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a walk over %zu ops",
                       pp_schedule_ops(schedule));
    }
    pp_large_pages(walk->marks, outputs * sizeof *walk->marks);
    /* The two rows of inputs that no stage makes (walk.h). */
    struct pp_mark *before = walk->marks;
    struct pp_mark *after = walk->marks + (2 * (size_t)schedule->stages + 1) * row;
    for (size_t i = 0; i < row; i++)
        before[i] = after[i] = pp_mark_released(0);
    for (size_t i = 0; schedule->after && i < (size_t)schedule->microbatches; i++) {
        if (schedule->after[i] >= 0)
            before[i] = (struct pp_mark){0};
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
    free(walk->marks);
    free(walk->runnable);
    *walk = (struct pp_walk){0};
}
