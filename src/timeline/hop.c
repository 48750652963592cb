#include "timeline/hop.h"

#include <math.h>
#include <stdlib.h>

#include "schedule/walk.h"
#include "timeline/core_share.h"
#include "timeline/quantile.h"
#include "timeline/wait.h"

/* Does the op's input come from another rank? */
static bool is_sent(const struct pp_schedule *schedule, size_t k)
{
    struct pp_op producer;
    return pp_producer(schedule, schedule->ops[k], &producer) &&
           pp_op_rank(schedule, producer) != pp_op_rank(schedule, schedule->ops[k]);
}

/* Writes the hops of one rank that count, and returns how many there are. A rank's
 * first op is left out: what went before it is not counted. */
static size_t hops_of_rank(const struct pp_timeline *timeline, int rank, double *hops)
{
    const struct pp_schedule *schedule = timeline->schedule;
    const struct pp_span *spans = timeline->spans;
    size_t count = 0;
    for (size_t k = schedule->first[rank] + 1; k < schedule->first[rank + 1]; k++) {
        int64_t from = spans[k - 1].end;
        struct pp_wait wait = pp_wait_before(timeline, k, from);
        double passed = (double)(spans[k].start - from);
        bool waited = wait.dependency > 0 && is_sent(schedule, wait.input);
        if (waited && (double)timeline->cpu[k].wait >= PP_OWN_CORE * passed)
            hops[count++] = (double)wait.communication;
    }
    return count;
}

int pp_median_hop(const struct pp_timeline *timelines, int timeline_count, double *ns,
                  struct pp_error *error)
{
    size_t most = 0, count = 0;
    *ns = (double)NAN;
    for (int t = 0; t < timeline_count; t++)
        most += timelines[t].cpu ? pp_schedule_ops(timelines[t].schedule) : 0;
    double *hops = malloc((most + 1) * sizeof *hops);
    if (!hops)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu messages", most);
    for (int t = 0; t < timeline_count; t++) {
        for (int r = 0; timelines[t].cpu && r < timelines[t].schedule->ranks; r++)
            count += hops_of_rank(&timelines[t], r, hops + count);
    }
    if (count > 0)
        *ns = pp_quantile(hops, count, 0.5);
    free(hops);
    return 0;
}

void pp_fit_hop(double ns, double bytes, double *latency_s, double *bandwidth)
{
    double seconds = fmax(ns, 1) / 1e9;
    *bandwidth = fmax(*bandwidth, bytes / seconds);
    *latency_s = fmax(seconds - bytes / *bandwidth, 0);
}
