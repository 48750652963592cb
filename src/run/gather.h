/* From what every rank noted of its ops to rank 0's timelines. */
#ifndef PP_RUN_GATHER_H
#define PP_RUN_GATHER_H

#include "run/clock.h"
#include "run/reduce.h"
#include "run/world.h"
#include "timeline/timeline.h"

/* What one rank noted, step by step; borrowed. */
struct pp_noted {
    struct pp_span *spans; /* [steps][ops] */
    struct pp_cpu *cpu;    /* likewise; NULL: not counted */
    size_t ops;            /* of this rank in a step */
    int steps;
};

/* Puts this rank's times on rank 0's clock where the hosts' clocks drifted apart, which
 * pp_clock_realign has found out. */
void pp_correct_drift(const struct pp_clock *clock, const struct pp_noted *noted);

/* Collective. Sets rank 0's *timelines, [*count], which are the caller's, also after a
 * failure: PP_ENVIRONMENT when out of memory. */
int pp_gather_timelines(const struct pp_world *world,
                        const struct pp_schedule *schedule,
                        const struct pp_noted *noted, struct pp_timeline **timelines,
                        int *count, struct pp_error *error);

/* Collective. Brings what the reducers noted of the steps of these numbers, [count],
 * into rank 0's timelines, on its clock; first: the number of the first step that they
 * noted. Where there is one weight copy there is nothing to bring. PP_ENVIRONMENT when
 * out of memory. */
int pp_gather_reductions(const struct pp_reducer *reducer, const int *numbers,
                         int first, int count, struct pp_timeline *timelines,
                         struct pp_error *error);

#endif
