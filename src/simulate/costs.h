/* The cost model: what each op and each message takes. All times in integer ns. */
#ifndef PP_SIMULATE_COSTS_H
#define PP_SIMULATE_COSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "schedules/catalogue.h"

/* A hop between ranks. A message arrives latency + bytes / bandwidth after its op
 * ended, and by default occupies nobody (as in the papers' models). */
struct pp_hop {
    int64_t latency;
    double bandwidth; /* bytes per second; INFINITY: free */
    int64_t sender;   /* ns the sending rank is kept busy before its next op; the
                       * message leaves when they are over. The two messages of a
                       * joined pair are sent one after the other, in the order of
                       * the pair: the second leaves when both are done */
    int64_t receiver; /* ns the receiving rank is kept busy before the op */
    bool serialise;   /* messages of one directed pair of ranks queue for the link,
                       * which each holds for bytes / bandwidth */
};

/* One number of --cost is a rank's whole work on one microbatch: where a microbatch
 * meets k stages on the rank, each of them takes 1/k of it, and so does a joined pair
 * of two of them. Here all is per stage. */
struct pp_costs {
    int stages;
    int classes; /* of the schedule that they are for (struct pp_class); 1 too where all
                  * of its classes cost the same, or it does not decode */
    int64_t (*op)[PP_KINDS]; /* [classes][stages] ns of F, B, I, W; owned */
    int64_t *joined;         /* [stages] ns of a joined pair, by the stage of its first
                              * op; NULL: joined_factor times the sum of both; owned */
    double joined_factor;    /* without joined: of the sum of both; 1: the sum */
    int64_t *reduce; /* [stages] ns of R, the sum of a stage's gradients over its
                      * weight copies; NULL: 0; owned */
    struct pp_hop near, far; /* within a node, between nodes */
    int ranks_per_node;      /* 0: all ranks are near */
    double message_bytes;    /* of every message from stage to stage; where the schedule
                              * decodes, of each row of a microbatch */
    const int64_t *each;     /* [ops of the schedule] ns of each op, to replay what was
                              * measured: then neither op, slow nor jitter counts, and
                              * nothing is joined; NULL: as those say; borrowed */
    double *slow;            /* [ranks] factor on each rank's ops; NULL: 1; owned */
    double jitter;           /* sigma of a lognormal factor of mean 1 on every op */
    uint64_t seed;           /* of the jitter */
};

/* Allocates op, zeroed, and sets the rest to: free hops, no noise, joined pairs that
 * take the sum of both. */
int pp_costs_init(struct pp_costs *costs, int stages, struct pp_error *error);
void pp_costs_release(struct pp_costs *costs);

/* Gives zeroed costs of one class as many as the schedule has. PP_ENVIRONMENT when out
 * of memory. */
int pp_costs_classify(struct pp_costs *costs, const struct pp_schedule *schedule,
                      struct pp_error *error);

/* What ops of the stage and class cost, [PP_KINDS]. */
static inline int64_t *pp_costs_of(const struct pp_costs *costs, int of_class,
                                   int stage)
{
    int row = costs->classes > 1 ? of_class : 0;
    return costs->op[(size_t)row * (size_t)costs->stages + (size_t)stage];
}

/* Gives every stage the same costs, in ns; B takes I and W together. */
void pp_costs_fill(struct pp_costs *costs, int64_t forward, int64_t input,
                   int64_t weight);

/* Gives every joined pair the same cost, in ns. PP_ENVIRONMENT when out of memory. */
int pp_costs_join(struct pp_costs *costs, int64_t joined, struct pp_error *error);

/* Re-computation: B and I begin with the stage's forward again, and so does a joined
 * pair's backward. times: 1 adds it; -1 takes it out of what was measured with it. */
void pp_costs_recompute(struct pp_costs *costs, int times);

/* Makes I and W the halves of B. */
void pp_costs_halve(int64_t op[PP_KINDS]);

/* What closed forms are written in: the costs of the mean rank and the mean hop of the
 * schedule on these costs. Returns whether nothing was averaged away: every stage
 * costs the same, every hop too, and there is nothing that closed forms do not know
 * (overheads, queues, slow ranks, noise, a cost of joined pairs). In decoding, of the
 * schedule's last class. */
bool pp_costs_equal(const struct pp_costs *costs, const struct pp_schedule *schedule,
                    struct pp_equal_costs *equal);

/* Rounds to whole ns; what is beyond the clock becomes 2^61, which pp_simulate refuses
 * for being too long. */
int64_t pp_nanoseconds(double ns);

/* The bytes of a message to a microbatch of the class: from the stage before, or the
 * tokens that it begins with (feedback), one a row. */
enum { PP_TOKEN_BYTES = 4 };
double pp_costs_bytes(const struct pp_costs *costs, const struct pp_schedule *schedule,
                      int of_class, bool feedback);

/* What a message over the hop takes on the wire alone: bytes / bandwidth, in ns. */
int64_t pp_hop_wire(const struct pp_hop *hop, double bytes);

/* The hop between two ranks; NULL where they are one, and nothing has to travel. */
const struct pp_hop *pp_costs_hop(const struct pp_costs *costs, int from, int to);

#endif
