/* What a hop between neighbouring ranks costs: from the end of the op that sent, to the
 * look with which the rank that waits for the message finds it. Passing it to MPI,
 * MPI's copies and the looks of the waiting rank are all in it.
 *
 * It is measured at the start, for the virtual clock and to tell latency and bandwidth
 * apart; and on the wall clock again by the run itself, whose messages come from
 * colder caches and find MPI at other work. */
#ifndef PP_RUN_LINK_H
#define PP_RUN_LINK_H

#include "run/world.h"

struct pp_link {
    double latency_s;
    double bandwidth; /* bytes per second, INFINITY: free */
};

/* Collective. Ping-pong between each pair of neighbouring ranks, one pair at a time,
 * with data just written, received by the run's own waiting (pp_wait) as a rank with a
 * core of its own waits. Small messages give the latency, messages of message_bytes the
 * bandwidth. The median counts of the round trips during which both had their cores
 * (timeline/core_share.h), the smallest of all if there is none such; and of the pairs
 * the median. One rank: free. PP_ENVIRONMENT when out of memory. */
int pp_link_measure(const struct pp_world *world, size_t message_bytes,
                    struct pp_link *link, struct pp_error *error);

#endif
