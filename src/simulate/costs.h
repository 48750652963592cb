/* The cost model: what each op and each message takes. All times in integer ns. */
#ifndef PP_SIMULATE_COSTS_H
#define PP_SIMULATE_COSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "schedule/schedule.h"

/* A hop between ranks. A message arrives latency + bytes / bandwidth after its op
 * ended, and by default occupies nobody (as in the papers' models). */
struct pp_hop {
    int64_t latency;
    double bandwidth;  /* bytes per second; INFINITY: free */
    int64_t sender;    /* ns the sending rank is kept busy before its next op */
    int64_t receiver;  /* ns the receiving rank is kept busy before the op */
    bool serialise;    /* messages of one directed pair of ranks queue for the link */
};

struct pp_costs {
    int stages;
    int64_t (*op)[PP_KINDS]; /* [stages] ns of F, B, I, W; owned */
    int64_t joined;          /* reserved cost of a joined pair; -1: the sum of both */
    struct pp_hop near, far; /* within a node, between nodes */
    int ranks_per_node;      /* 0: all ranks are near */
    double message_bytes;    /* of every message between stages */
    double *slow;            /* [ranks] factor on each rank's ops; NULL: 1; owned */
    int ranks;               /* of slow */
    double jitter;           /* sigma of a lognormal factor of mean 1 on every op */
    uint64_t seed;           /* of the jitter */
};

/* Allocates op, zeroed, and sets the rest to: free hops, no noise. */
int pp_costs_init(struct pp_costs *costs, int stages, struct pp_error *error);
void pp_costs_release(struct pp_costs *costs);

#endif
