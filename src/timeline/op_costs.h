/* What each op costs, over the timelines of several steps. */
#ifndef PP_TIMELINE_OP_COSTS_H
#define PP_TIMELINE_OP_COSTS_H

#include "timeline/timeline.h"

/* What ops of one kind on one stage need, over all microbatches and steps, in ns: their
 * CPU time where the timelines hold it, since a stranger on a rank's core stretches
 * what they take; elsewhere the time that they took. */
struct pp_cost {
    int stage;
    enum pp_kind kind;
    int64_t median, p5, p95;
    int64_t count;
};

/* Collects the costs, stage by stage, kinds in the order F B I W, leaving out kinds
 * that a stage does not have. *costs is allocated [*count], the caller frees it.
 * PP_ENVIRONMENT when out of memory. */
int pp_costs_collect(const struct pp_timeline *timelines, int timeline_count,
                     struct pp_cost **costs, int *count, struct pp_error *error);

#endif
