#include "timeline/timeline.h"

#include <stdlib.h>

#include "base/pages.h"

int pp_timeline_init(struct pp_timeline *timeline, const struct pp_schedule *schedule,
                     struct pp_error *error)
{
    size_t ops = pp_schedule_ops(schedule);
    *timeline = (struct pp_timeline){
        .schedule = schedule,
        .spans = calloc(ops, sizeof *timeline->spans),
    };
    if (schedule->copies > 1)
        timeline->reductions =
            calloc((size_t)schedule->copies,
                   (size_t)schedule->stages * sizeof(struct pp_span));
    if ((!timeline->spans && ops > 0) ||
        (schedule->copies > 1 && !timeline->reductions)) {
        pp_timeline_release(timeline);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a timeline of %zu ops",
                       ops);
    }
    pp_large_pages(timeline->spans, ops * sizeof *timeline->spans);
    return 0;
}

int pp_timeline_add_cpu(struct pp_timeline *timeline, struct pp_error *error)
{
    size_t ops = pp_schedule_ops(timeline->schedule);
    timeline->cpu = calloc(ops + 1, sizeof *timeline->cpu);
    if (timeline->cpu)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for the CPU times of %zu ops",
                   ops);
}

void pp_timeline_release(struct pp_timeline *timeline)
{
    free(timeline->spans);
    free(timeline->reductions);
    free(timeline->cpu);
    *timeline = (struct pp_timeline){0};
}
