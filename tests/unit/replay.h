/* Builds a schedule and simulates it, for tests. */
#ifndef PP_TESTS_REPLAY_H
#define PP_TESTS_REPLAY_H

#include <check.h>

#include "schedules/catalogue.h"
#include "simulate/simulate.h"
#include "timeline/metrics.h"

struct replay {
    struct pp_schedule schedule;
    struct pp_costs costs;
    struct pp_timeline timeline;
    struct pp_metrics metrics;
};

/* Builds the row's schedule; false where the row refuses the shape, which must then be
 * bad input. Sets up costs of zero for it. */
bool replay_init(struct replay *replay, const struct pp_scheduler *row,
                 struct pp_shape *shape);

/* Simulates with replay->costs and measures; may be called again. */
void replay_run(struct replay *replay);

void replay_release(struct replay *replay);

/* The bubble as a closed form counts it: makespan, or the longest span of a rank, less
 * the busiest rank's work. */
int64_t replay_bubble(const struct replay *replay, bool by_span);

#endif
