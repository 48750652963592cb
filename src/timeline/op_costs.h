/* What each op costs, over the timelines of several steps. */
#ifndef PP_TIMELINE_OP_COSTS_H
#define PP_TIMELINE_OP_COSTS_H

#include "timeline/timeline.h"

/* What ops of one kind on one stage need, over all microbatches and steps, in ns; where
 * the schedule decodes, over all microbatches of one class: their CPU time where the timelines hold it, since a stranger on a rank's core stretches
 * what they take; elsewhere the time that they took. */
struct pp_cost {
    int stage;
    enum pp_kind kind;
    struct pp_class of_class; /* no label and no rows in training */
    int64_t median, p5, p95;
    int64_t count;
};

/* Are both classes the same, or neither one? */
bool pp_same_class(const struct pp_class *a, const struct pp_class *b);

/* Collects the costs, stage by stage, classes in the schedule's order, kinds in the
 * order F B I W, leaving out what a stage does not have. *costs is allocated [*count], the caller frees it.
 * PP_ENVIRONMENT when out of memory. */
int pp_costs_collect(const struct pp_timeline *timelines, int timeline_count,
                     struct pp_cost **costs, int *count, struct pp_error *error);

#endif
