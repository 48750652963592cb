/* The critical path: the chain of ops and hops, without a break from the step's first
 * start to its last end, that decided the makespan. */
#ifndef PP_TIMELINE_CRITICAL_H
#define PP_TIMELINE_CRITICAL_H

#include "timeline/metrics.h"
#include "timeline/producers.h"
#include "timeline/wait.h"

/* What a path leads through. */
struct pp_path {
    const struct pp_timeline *timeline;
    const struct pp_metrics *metrics;
    const struct pp_producers *producers;
};

/* When the k-th op's rank was free for it: the end of the op before, or the start of
 * the step. */
int64_t pp_free_from(const struct pp_path *path, int64_t k);

/* One op on the path, and what passed between the one before and it. */
struct pp_path_op {
    int64_t op;       /* index into the schedule's ops */
    bool crossed;     /* it waited for a message: the one before is its producer; else
                       * the one before is the op before it on its rank */
    int64_t hop;      /* ns until the message had arrived */
    int64_t overhead; /* ns until the op started then */
};

/* How the k-th op came to start when it did. Returns the op that decided it, PP_NO_OP
 * at the start of the step: its end, hop and overhead lead to the start of the k-th
 * without a break. */
int64_t pp_step_back(const struct pp_path *path, int64_t k, struct pp_path_op *at);

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

#endif
