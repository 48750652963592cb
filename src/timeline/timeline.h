/* The timeline: when each op of one step ran. Written by the run and by the
 * simulation alike; every number, plot, trace and check is computed from it. */
#ifndef PP_TIMELINE_TIMELINE_H
#define PP_TIMELINE_TIMELINE_H

#include <stdint.h>

#include "schedule/schedule.h"

/* Times in ns on one clock common to all ranks (any origin).
 * ready:   when the op's last input had been produced (on whatever rank);
 * arrived: when that input had reached this rank, arrived >= ready;
 * both are <= start, and equal the end of the rank's previous op, or earlier, where
 * nothing was waited for. */
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
