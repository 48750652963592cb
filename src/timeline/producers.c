#include "timeline/producers.h"

#include <stdlib.h>

#include "schedule/walk.h"

int pp_producers_init(struct pp_producers *producers,
                      const struct pp_schedule *schedule, struct pp_error *error)
{
    size_t outputs = 2 * (size_t)schedule->stages * (size_t)schedule->microbatches;
    size_t ops = pp_schedule_ops(schedule);
    *producers = (struct pp_producers){
        .schedule = schedule,
        .released_by = malloc(outputs * sizeof *producers->released_by),
    };
    if (!producers->released_by)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the dependencies of %zu ops", ops);
    for (size_t k = 0; k < ops; k++) {
        if (schedule->ops[k].kind != PP_W)
            producers->released_by[pp_output_index(schedule, schedule->ops[k])] =
                (int64_t)k;
    }
    return 0;
}

void pp_producers_release(struct pp_producers *producers)
{
    free(producers->released_by);
    *producers = (struct pp_producers){0};
}

int64_t pp_producer_of(const struct pp_producers *producers, int64_t k)
{
    const struct pp_schedule *schedule = producers->schedule;
    struct pp_op producer;
    if (!pp_producer(schedule, schedule->ops[k], &producer))
        return PP_NO_OP;
    return producers->released_by[pp_output_index(schedule, producer)];
}

int64_t pp_release_of(const struct pp_schedule *schedule, int64_t k)
{
    return schedule->ops[k].joined ? k + 1 : k;
}

void pp_producers_set_ready(const struct pp_producers *producers, struct pp_span *spans)
{
    const struct pp_schedule *schedule = producers->schedule;
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        int64_t producer = pp_producer_of(producers, (int64_t)k);
        spans[k].ready = spans[k].arrived;
        if (producer == PP_NO_OP)
            continue;
        int64_t released = spans[pp_release_of(schedule, producer)].end;
        if (released < spans[k].arrived)
            spans[k].ready = released;
    }
}

int pp_rank_of_op(const struct pp_schedule *schedule, int64_t k)
{
    return pp_op_rank(schedule, schedule->ops[k]);
}
