/* What a timeline says: makespan, bubble under its three names, causes, peaks.
 * All times in ns, as integers, so that causes add up to idle exactly. */
#ifndef PP_TIMELINE_METRICS_H
#define PP_TIMELINE_METRICS_H

#include "timeline/timeline.h"

/* Where a rank's idle time went. warmup: before its first op; cooldown: after its
 * last; of each gap between: dependency until the input was produced, communication
 * until it arrived, overhead until the op started. They sum to idle exactly. */
struct pp_causes {
    int64_t warmup, dependency, communication, overhead, cooldown;
};

struct pp_rank_metrics {
    int64_t first_start, last_end;
    int64_t busy, idle;
    struct pp_causes causes;
    int64_t reduction;         /* sum of R over its stages, beside busy and idle */
    int64_t reduction_exposed; /* what of it came after the rank's last op */
    int peak_in_flight; /* most (stage, microbatch) pairs whose activations the rank
                         * held at once, from F to B or W; in chunks: divide by v */
};

/* The bubble, as papers count it.
 *   idle = p * makespan - sum of busy
 *   fraction = idle / (p * makespan)                 (p-1)/(m+p-1) for 1F1B
 *   over_ideal = idle / sum of busy                  (p-1)/m; Megatron-LM
 *   span_fraction = 1 - max busy / max (last end - first start), maxima over ranks
 *                   Zero Bubble Pipeline Parallelism, arXiv 2401.10241 */
struct pp_bubble {
    double fraction, over_ideal, span_fraction;
};

struct pp_metrics {
    int ranks;
    int64_t start, end; /* first start and last end over all ranks */
    int64_t makespan;   /* end - start */
    int64_t duration;   /* from start to the end of the last R, where that is later */
    int64_t busy, idle; /* sums over ranks */
    struct pp_bubble bubble;
    struct pp_causes causes;         /* sums over ranks */
    struct pp_rank_metrics *of_rank; /* [ranks], owned */
};

/* Computes everything above. PP_ENVIRONMENT when out of memory. */
int pp_metrics_init(struct pp_metrics *metrics, const struct pp_timeline *timeline,
                    struct pp_error *error);
/* Sets busy, idle and causes to the sums over of_rank. */
void pp_metrics_sum(struct pp_metrics *metrics);
/* The bubble, counted from makespan, busy, idle and of_rank. */
struct pp_bubble pp_metrics_bubble(const struct pp_metrics *metrics);
void pp_metrics_release(struct pp_metrics *metrics);

#endif
