#include "timeline/metrics.h"

#include <stdlib.h>

#include "timeline/wait.h"

static void add_wait(struct pp_causes *causes, struct pp_wait wait)
{
    causes->dependency += wait.dependency;
    causes->communication += wait.communication;
    causes->overhead += wait.overhead;
}

/* Walks one rank's ops; leaves warmup and cooldown to the caller, who knows the step's
 * start and end. */
static void measure_rank(struct pp_rank_metrics *rank,
                         const struct pp_timeline *timeline, int r)
{
    const struct pp_schedule *schedule = timeline->schedule;
    size_t begin = schedule->first[r], end = schedule->first[r + 1];
    int in_flight = 0;
    *rank = (struct pp_rank_metrics){0};
    for (size_t k = begin; k < end; k++) {
        const struct pp_span *span = &timeline->spans[k];
        struct pp_in_flight change = pp_in_flight(schedule, schedule->ops[k].kind);
        in_flight += change.from_start;
        if (in_flight > rank->peak_in_flight)
            rank->peak_in_flight = in_flight;
        in_flight += change.at_end;
        if (k == begin)
            rank->first_start = span->start;
        else if (span->start > rank->last_end)
            add_wait(&rank->causes, pp_wait_before(timeline, k, rank->last_end));
        rank->busy += span->end - span->start;
        rank->last_end = span->end;
    }
}

struct pp_bubble pp_metrics_bubble(const struct pp_metrics *metrics)
{
    int64_t most_busy = 0, longest_span = 0;
    for (int r = 0; r < metrics->ranks; r++) {
        const struct pp_rank_metrics *rank = &metrics->of_rank[r];
        int64_t span = rank->last_end - rank->first_start;
        if (rank->busy > most_busy)
            most_busy = rank->busy;
        if (span > longest_span)
            longest_span = span;
    }
    double total = (double)metrics->ranks * (double)metrics->makespan;
    return (struct pp_bubble){
        .fraction = (double)metrics->idle / total,
        .over_ideal = (double)metrics->idle / (double)metrics->busy,
        .span_fraction = 1.0 - (double)most_busy / (double)longest_span,
    };
}

void pp_metrics_sum(struct pp_metrics *metrics)
{
    metrics->busy = metrics->idle = 0;
    metrics->causes = (struct pp_causes){0};
    for (int r = 0; r < metrics->ranks; r++) {
        const struct pp_rank_metrics *rank = &metrics->of_rank[r];
        metrics->busy += rank->busy;
        metrics->idle += rank->idle;
        metrics->causes.warmup += rank->causes.warmup;
        metrics->causes.dependency += rank->causes.dependency;
        metrics->causes.communication += rank->causes.communication;
        metrics->causes.overhead += rank->causes.overhead;
        metrics->causes.cooldown += rank->causes.cooldown;
    }
}

/* What R takes on each rank, and how long the step is with it. */
static void measure_reductions(struct pp_metrics *metrics,
                               const struct pp_timeline *timeline)
{
    const struct pp_schedule *schedule = timeline->schedule;
    int64_t last = metrics->end;
    for (int at = 0; timeline->reductions && at < schedule->copies * schedule->stages;
         at++) {
        const struct pp_span *span = &timeline->reductions[at];
        struct pp_rank_metrics *rank = &metrics->of_rank[schedule->rank_of[at]];
        int64_t from = span->start > rank->last_end ? span->start : rank->last_end;
        rank->reduction += span->end - span->start;
        if (span->end > from)
            rank->reduction_exposed += span->end - from;
        last = span->end > last ? span->end : last;
    }
    metrics->duration = last - metrics->start;
}

int pp_metrics_init(struct pp_metrics *metrics, const struct pp_timeline *timeline,
                    struct pp_error *error)
{
    int ranks = timeline->schedule->ranks;
    *metrics = (struct pp_metrics){
        .ranks = ranks,
        .of_rank = malloc((size_t)ranks * sizeof *metrics->of_rank),
        .start = INT64_MAX,
        .end = INT64_MIN,
    };
    if (!metrics->of_rank)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the metrics of %d ranks", ranks);
    for (int r = 0; r < ranks; r++) {
        struct pp_rank_metrics *rank = &metrics->of_rank[r];
        measure_rank(rank, timeline, r);
        if (rank->first_start < metrics->start)
            metrics->start = rank->first_start;
        if (rank->last_end > metrics->end)
            metrics->end = rank->last_end;
    }
    metrics->makespan = metrics->end - metrics->start;
    for (int r = 0; r < ranks; r++) {
        struct pp_rank_metrics *rank = &metrics->of_rank[r];
        rank->causes.warmup = rank->first_start - metrics->start;
        rank->causes.cooldown = metrics->end - rank->last_end;
        rank->idle = metrics->makespan - rank->busy;
    }
    measure_reductions(metrics, timeline);
    pp_metrics_sum(metrics);
    metrics->bubble = pp_metrics_bubble(metrics);
    return 0;
}

void pp_metrics_release(struct pp_metrics *metrics)
{
    free(metrics->of_rank);
    *metrics = (struct pp_metrics){0};
}
