/* The simulation: the schedule interpreted on a cost model. Sibling of run/: the same
 * schedule goes in, the same timeline comes out; no MPI, no numerics, exact integers,
 * the same result every time. */
#ifndef PP_SIMULATE_SIMULATE_H
#define PP_SIMULATE_SIMULATE_H

#include "simulate/costs.h"
#include "timeline/timeline.h"

/* Runs the schedule once under the costs; fills the spans of a timeline that
 * pp_timeline_init has set up for it. The schedule must have passed
 * pp_verify_ops; if its order blocks, the error is pp_verify's (PP_BAD_INPUT).
 * step picks the noise where the costs have any (costs.h); the same step, the same
 * noise. PP_ENVIRONMENT when out of memory. */
int pp_simulate(const struct pp_schedule *schedule, const struct pp_costs *costs,
                int step, struct pp_timeline *timeline, struct pp_error *error);

#endif
