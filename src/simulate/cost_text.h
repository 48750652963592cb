/* The cost model as options spell it. Every function reads one option's text into the
 * costs, which pp_costs_init has set up, and on failure (PP_BAD_INPUT) names the
 * option, the column, the key and what would be valid. */
#ifndef PP_SIMULATE_COST_TEXT_H
#define PP_SIMULATE_COST_TEXT_H

#include "simulate/costs.h"

/* --cost f=1,b=2,i=1,w=1,comm=0.1: times of the ops and of a hop. A number is in ms
 * unless it carries a unit (ns, us, ms, s). The costs of a kind are one number for all
 * stages, or one per stage: f=1,2,2,1 or f=1:2:2:1. i and w are each half of b
 * unless given; b may be left out when both are, and is then their sum. joined=3 is
 * what an overlapped pair takes, otherwise the sum of both. */
int pp_cost_text(const char *text, struct pp_costs *costs, struct pp_error *error);

/* --link latency=5us,bandwidth=10GB/s,send=1us,receive=1us,serialise. Keys that are not
 * given leave the hop as it is. option is the option's name, for messages. */
int pp_link_text(const char *option, const char *text, struct pp_hop *hop,
                 struct pp_error *error);

/* --slow 3:1.5,0:2: factors on the ops of some ranks. */
int pp_slow_text(const char *text, int ranks, struct pp_costs *costs,
                 struct pp_error *error);

/* --jitter lognormal:0.05. The number is sigma, at most 2. */
int pp_jitter_text(const char *text, struct pp_costs *costs, struct pp_error *error);

/* --device flops=312TFLOPS,bandwidth=1.5TB/s: what a rank computes and moves. */
struct pp_device {
    double flops;     /* floating-point operations per second */
    double bandwidth; /* bytes per second to its memory; INFINITY unless given */
};
int pp_device_text(const char *text, struct pp_device *device, struct pp_error *error);

/* What the ops of one stage do with one microbatch: floating-point operations, and
 * bytes that each op moves between the device and its memory. */
struct pp_work {
    double forward, input, weight;
    double bytes;
};

/* Each op takes the longer of computing and moving (the roofline of Williams, Waterman
 * & Patterson, CACM 52(4), 2009); B is I then W. work: [costs->stages]. */
void pp_costs_derive(struct pp_costs *costs, const struct pp_device *device,
                     const struct pp_work *work);

#endif
