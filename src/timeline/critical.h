/* The critical path: the chain of ops and hops, without a break from the step's first
 * start to its last end, that decided the makespan. */
#ifndef PP_TIMELINE_CRITICAL_H
#define PP_TIMELINE_CRITICAL_H

#include "timeline/metrics.h"
#include "timeline/producers.h"
#include "timeline/wait.h"

/* One op on the path, and what passed between the one before and it. */
struct pp_path_op {
    int64_t op;       /* index into the schedule's ops */
    bool crossed;     /* it waited for a message: the one before is its producer; else
                       * the one before is the op before it on its rank */
    int64_t hop;      /* ns until the message had arrived */
    int64_t overhead; /* ns until the op started then */
};

/* hop + overhead + the ops' durations, over the path, are the makespan exactly. */
struct pp_critical {
    struct pp_path_op *path; /* [count] in the order of time, owned */
    size_t count;
    int64_t busy[PP_KINDS];        /* ns in ops of a kind */
    int64_t hops, overhead;        /* ns */
    int64_t *of_rank;              /* [ranks] ns in ops of the rank, owned */
    int64_t (*of_stage)[PP_KINDS]; /* [stages] ns in ops of a kind, owned */
};

/* PP_ENVIRONMENT when out of memory. */
int pp_critical_init(struct pp_critical *critical, const struct pp_timeline *timeline,
                     const struct pp_metrics *metrics,
                     const struct pp_producers *producers, struct pp_error *error);
void pp_critical_release(struct pp_critical *critical);

/* A gap before an op. */
struct pp_gap {
    int64_t op;          /* the op that started late */
    int64_t producer;    /* the op that released its input, PP_NO_OP */
    int64_t from;        /* ns, end of the op before, or the start of the step */
    struct pp_wait wait; /* before a rank's first op: how warmup splits */
};

/* The longest gaps of a rank, longest first; writes at most most of them to gaps and
 * returns how many there are. */
int pp_longest_gaps(const struct pp_timeline *timeline,
                    const struct pp_metrics *metrics,
                    const struct pp_producers *producers, int rank, int most,
                    struct pp_gap *gaps);

#endif
