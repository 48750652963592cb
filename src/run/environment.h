/* What ranks worked with, as rank 0 tells it. */
#ifndef PP_RUN_ENVIRONMENT_H
#define PP_RUN_ENVIRONMENT_H

#include <stdbool.h>

struct pp_run_environment {
    const char *clock;                     /* "wall" or "virtual" */
    double clock_error_s;                  /* what the hosts' clocks may be apart */
    double link_latency_s, link_bandwidth; /* bytes per second, INFINITY: free */
    bool oversubscribed;                   /* ranks share cores */
    int cores;
    char host[64];
    char mpi[128];
    char blas[128];
};

#endif
