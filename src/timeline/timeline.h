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

/* CPU time of a rank's thread, in ns. Where it is below the time that passed, the
 * operating system gave the rank's core to others. */
struct pp_cpu {
    int64_t wait; /* from the end of the op before to the start of this one; of a rank's
                   * first op 0 */
    int64_t op;   /* from its start to its end: all that its thread did, transfers that
                   * it moved on between layers included */
};

/* When a stage's gradients were summed over its weight copies, R, is a span too, on a
 * lane of its own beside the rank's ops. ready: when the last copy's gradient was
 * complete; arrived: when all of them were there; ready <= start. */

/* spans[k] belongs to schedule->ops[k], as does cpu[k]. */
struct pp_timeline {
    const struct pp_schedule *schedule; /* borrowed */
    struct pp_span *spans;              /* [pp_schedule_ops(schedule)], owned */
    struct pp_span *reductions;         /* [copies][stages] R of each place (pp_place);
                                         * owned; NULL where there is one copy, or it
                                         * is not known */
    struct pp_cpu *cpu; /* [pp_schedule_ops(schedule)], owned; NULL where it is not
                         * counted: in a simulation, on the virtual clock (where an op's
                         * span is its CPU time already), with several threads */
};

/* Allocates the spans, zeroed. PP_ENVIRONMENT when out of memory. */
int pp_timeline_init(struct pp_timeline *timeline, const struct pp_schedule *schedule,
                     struct pp_error *error);
/* Adds room for CPU times, zeroed. PP_ENVIRONMENT when out of memory. */
int pp_timeline_add_cpu(struct pp_timeline *timeline, struct pp_error *error);
void pp_timeline_release(struct pp_timeline *timeline);

#endif
