/* What the timelines of several steps say together: the representative step, the
 * range, and what each op costs. */
#ifndef PP_TIMELINE_STEPS_H
#define PP_TIMELINE_STEPS_H

#include "timeline/metrics.h"

/* One measured step. */
struct pp_step {
    int number;       /* as the user counts, from 1; warm-up steps count too */
    int64_t makespan; /* ns, of its compute ops */
    int64_t duration; /* ns, optimizer included; the makespan in a simulation */
    double bubble;    /* fraction */
};

/* The index of the representative step: the one whose bubble fraction is the (lower)
 * median. Every figure of a report comes from this one step, so that they add up;
 * the range over steps stands beside it. */
int pp_representative(const struct pp_step *steps, int count);

/* The makespans of count >= 1 steps, in ns. median: the lower one of an even number. */
struct pp_makespans {
    int64_t median, min, max;
};
struct pp_makespans pp_makespans(const struct pp_step *steps, int count);

/* What ops of one kind on one stage took, over all microbatches and steps, in ns. */
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

/* q-quantile (0..1) of count >= 1 values by linear interpolation; reorders values. */
double pp_quantile(double *values, size_t count, double q);

#endif
