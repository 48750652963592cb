/* The cost model as options give it. Every function reads one option's text into the
 * costs, which pp_costs_init has set up; on failure (PP_BAD_INPUT) it says what is
 * wrong in which column, and what would be valid. */
#ifndef PP_SIMULATE_COST_TEXT_H
#define PP_SIMULATE_COST_TEXT_H

#include "schedule/held.h"
#include "simulate/costs.h"

/* --cost f=1,b=2,i=1,w=1,comm=0.1: times of the ops and of a hop. A number is in ms
 * unless it carries a unit (ns, us, ms, s). The costs of a kind are one number, a whole
 * rank's, which the stages that a microbatch meets there share evenly; or one per stage
 * as it stands: f=1,2,2,1 or f=1:2:2:1. i and w are each half of b unless given; b may
 * be left out when both are, and is then their sum. joined=3 is what overlapped pairs
 * take instead of the sum of both, likewise a whole rank's; joined=0.8x is a factor of
 * that sum. reduce=1 is what a
 * rank's reductions over weight copies take, of one copy's stages there; 0 where it is
 * not given. scale multiplies all of
 * them, hops too; 1 leaves them as they are.
 *
 * Where the schedule decodes: prefill=4,decode=1, likewise. A class that is left out
 * takes f, or where f is left out too, what the other takes. */
int pp_cost_text(const char *text, const struct pp_schedule *schedule, double scale,
                 struct pp_costs *costs, struct pp_error *error);

/* --link latency=5us,bandwidth=10GB/s,send=1us,receive=1us,serialise. Keys that are not
 * given leave the hop as it is. option is the option's name, for messages. */
int pp_link_text(const char *option, const char *text, struct pp_hop *hop,
                 struct pp_error *error);

/* --slow 3:1.5,0:2: factors on the ops of some ranks. *slow becomes a new array,
 * [ranks], 1 for the others; also on failure it is the caller's to free. */
int pp_slow_text(const char *text, int ranks, double **slow, struct pp_error *error);

/* --memory f=1,w=0.4 or f=2GiB,w=900MiB: what a microbatch of a whole rank holds once F
 * has run, and between I and W; w left out is f. Sets *unit to the bytes of f's unit; 0
 * where both are plain numbers. */
int pp_memory_text(const char *text, struct pp_hold *hold, double *unit,
                   struct pp_error *error);

/* --jitter lognormal:0.05. The number is sigma, at most 2. */
int pp_jitter_text(const char *text, struct pp_costs *costs, struct pp_error *error);

#endif
