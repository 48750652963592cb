/* What ops cost on a device of which only the speed is known. */
#ifndef PP_SIMULATE_DEVICE_H
#define PP_SIMULATE_DEVICE_H

#include "simulate/costs.h"

/* --device flops=312TFLOPS,bandwidth=1.5TB/s: what a rank computes and moves. */
struct pp_device {
    double flops;     /* floating-point operations per second */
    double bandwidth; /* bytes per second to its memory; INFINITY unless given */
};

/* PP_BAD_INPUT says what is wrong in which column. */
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
