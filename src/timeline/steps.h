/* What several steps say together: the representative step, and the range. */
#ifndef PP_TIMELINE_STEPS_H
#define PP_TIMELINE_STEPS_H

#include "timeline/metrics.h"

/* One measured step. */
struct pp_step {
    int number;       /* as the user counts, from 1; warm-up steps count too */
    int64_t makespan; /* ns, of its compute ops */
    int64_t duration; /* ns, reductions and optimizer included; no optimizer in
                       * a simulation */
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

#endif
