/* What a hop between neighbouring ranks costs, measured at start. */
#ifndef PP_RUN_LINK_H
#define PP_RUN_LINK_H

#include "run/world.h"

struct pp_link {
    double latency_s;
    double bandwidth; /* bytes per second, INFINITY: free */
};

/* Collective. Ping-pong between each pair of neighbouring ranks, one pair at a time:
 * small messages give the latency, messages of message_bytes the bandwidth. The
 * smallest of many round trips counts, and of the pairs the median. One rank: free.
 * PP_ENVIRONMENT when out of memory. */
int pp_link_measure(const struct pp_world *world, size_t message_bytes,
                    struct pp_link *link, struct pp_error *error);

#endif
