/* A sweep: many shapes, each simulated or run, and the figures of each. */
#ifndef PP_REPORT_SWEEP_H
#define PP_REPORT_SWEEP_H

#include <stdbool.h>

#include "base/error.h"

struct pp_sweep_point {
    char schedule[256]; /* the catalogue's name, or a file's path */
    int ranks, chunks, microbatches;
    /* Bubble fractions; NaN where there is none. */
    double theory, simulated, measured, measured_min, measured_max;
    double makespan_s, tokens_per_s;
    double peak_in_flight;        /* the largest of any rank */
    double peak_activation_bytes; /* likewise; NaN in a simulation */
    bool done;                    /* the figures above are set */
    /* Otherwise: PP_BAD_INPUT if no such shape is possible, another status if its run
     * failed; and the reason. */
    enum pp_status status;
    char reason[256];
};

#endif
