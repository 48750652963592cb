/* The timeline: when each op of one step ran. Written by the run and by the
 * simulation alike; every number, plot, trace and check is computed from it. */
#ifndef PP_TIMELINE_TIMELINE_H
#define PP_TIMELINE_TIMELINE_H

#include <stdint.h>

#include "schedule/schedule.h"

/* Times in ns on one clock common to all ranks (any origin).
 * ready:   when the op's input from another stage had been produced (on whatever rank);
 * arrived: when that input had reached this rank: ready <= arrived <= start, maybe long
 *          before the rank was free for the op.
 * Where an op needs no such input, both are some time at which the rank was not yet
 * free for it. What an op waited for is in wait.h. */
struct pp_span {
    int64_t start, end, ready, arrived;
};

/* spans[k] belongs to schedule->ops[k]. */
struct pp_timeline {
    const struct pp_schedule *schedule; /* borrowed */
    struct pp_span *spans;              /* [pp_schedule_ops(schedule)], owned */
};

/* Allocates the spans, zeroed. PP_ENVIRONMENT when out of memory. */
int pp_timeline_init(struct pp_timeline *timeline, const struct pp_schedule *schedule,
                     struct pp_error *error);
void pp_timeline_release(struct pp_timeline *timeline);

#endif
