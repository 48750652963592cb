/* R in a simulation: the sums of the stages' gradients over their weight copies. */
#ifndef PP_SIMULATE_REDUCE_H
#define PP_SIMULATE_REDUCE_H

#include "simulate/costs.h"
#include "timeline/timeline.h"

/* Fills in the reductions of a timeline whose spans are known, if its schedule has
 * several copies. A stage's R begins on all ranks that hold the stage when the last of
 * them has done its last weight op and none is at another R; it takes costs->reduce,
 * and keeps no rank from its ops. Stages come in the order in which they are ready.
 * PP_ENVIRONMENT when out of memory. */
int pp_simulate_reductions(const struct pp_costs *costs, struct pp_timeline *timeline,
                           struct pp_error *error);

#endif
