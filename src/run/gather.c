#include "run/gather.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/producers.h"

static void correct(const struct pp_clock *clock, struct pp_span *span)
{
    span->start = pp_clock_corrected(clock, span->start);
    span->end = pp_clock_corrected(clock, span->end);
    span->arrived = pp_clock_corrected(clock, span->arrived);
}

void pp_correct_drift(const struct pp_clock *clock, const struct pp_noted *noted)
{
    if (clock->kind != PP_CLOCK_WALL || clock->drift == 0)
        return;
    for (size_t k = 0; k < (size_t)noted->steps * noted->ops; k++)
        correct(clock, &noted->spans[k]);
}

/* When inputs were produced is known where all ranks' times have come together. */
static int set_ready(struct pp_timeline *timelines, int count,
                     const struct pp_schedule *schedule, struct pp_error *error)
{
    struct pp_producers producers;
    if (pp_producers_init(&producers, schedule, error) != 0)
        return -1;
    for (int t = 0; t < count; t++)
        pp_producers_set_ready(&producers, timelines[t].spans);
    pp_producers_release(&producers);
    return 0;
}

/* Collective. Brings what all ranks noted of a step's ops, so many bytes of each,
 * together in rank 0's all, in the order of the schedule. */
static void gather_ops(const struct pp_world *world, const struct pp_schedule *schedule,
                       const void *mine, void *all, size_t bytes)
{
    const size_t *first = schedule->first;
    int rank = world->rank;
    size_t own = (first[rank + 1] - first[rank]) * bytes;
    if (rank != 0) {
        pp_send_bytes(world, mine, own, 0, PP_TAG_SPANS);
        return;
    }
    memcpy((char *)all + first[0] * bytes, mine, own);
    for (int r = 1; r < world->size; r++)
        pp_receive_bytes(world, (char *)all + first[r] * bytes,
                         (first[r + 1] - first[r]) * bytes, r, PP_TAG_SPANS);
}

/* On rank 0. */
static int allocate(struct pp_timeline **timelines, int *count,
                    const struct pp_schedule *schedule, const struct pp_noted *noted,
                    struct pp_error *error)
{
    int status = 0;
    *timelines = calloc((size_t)noted->steps + 1, sizeof **timelines);
    if (!*timelines)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the timelines");
    for (int t = 0; t < noted->steps && status == 0; t++) {
        status = pp_timeline_init(&(*timelines)[t], schedule, error);
        *count += status == 0;
        if (status == 0 && noted->cpu)
            status = pp_timeline_add_cpu(&(*timelines)[t], error);
    }
    return status;
}

int pp_gather_timelines(const struct pp_world *world,
                        const struct pp_schedule *schedule,
                        const struct pp_noted *noted, struct pp_timeline **timelines,
                        int *count, struct pp_error *error)
{
    bool leads = world->rank == 0;
    *timelines = NULL;
    *count = 0;
    int status = leads ? allocate(timelines, count, schedule, noted, error) : 0;
    if (pp_agree(world, status, error) != 0)
        return -1;
    assert(!leads || *timelines);
    for (int t = 0; t < noted->steps; t++) {
        const struct pp_timeline *all = leads ? &(*timelines)[t] : NULL;
        size_t at = (size_t)t * noted->ops;
        gather_ops(world, schedule, noted->spans + at, all ? all->spans : NULL,
                   sizeof *all->spans);
        if (noted->cpu)
            gather_ops(world, schedule, noted->cpu + at, all ? all->cpu : NULL,
                       sizeof *all->cpu);
    }
    if (leads)
        status = set_ready(*timelines, *count, schedule, error);
    return pp_agree(world, status, error);
}

/* On rank 0: another rank's, or its own, into the timeline's places. */
static void place(const struct pp_schedule *schedule, int rank,
                  const struct pp_span *spans, struct pp_timeline *timeline)
{
    for (int c = 0; c < pp_schedule_held(schedule, rank); c++)
        timeline->reductions[pp_schedule_chunk(schedule, rank, c)] = spans[c];
}

int pp_gather_reductions(const struct pp_reducer *reducer, const int *numbers,
                         int first, int count, struct pp_timeline *timelines,
                         struct pp_error *error)
{
    const struct pp_world *world = reducer->world;
    const struct pp_schedule *schedule = reducer->schedule;
    const struct pp_clock *clock = reducer->clock;
    if (schedule->copies == 1)
        return 0;
    struct pp_span *buffer = malloc(((size_t)schedule->held + 1) * sizeof *buffer);
    int status =
        buffer ? 0 : pp_fail(error, PP_ENVIRONMENT, "out of memory for the reductions");
    if (pp_agree(world, status, error) != 0) {
        free(buffer);
        return -1;
    }
    assert(buffer);
    for (int t = 0; t < count; t++) {
        size_t held = reducer->held;
        memcpy(buffer, reducer->spans + (size_t)(numbers[t] - first) * held,
               held * sizeof *buffer);
        for (size_t c = 0; c < held && clock->kind == PP_CLOCK_WALL; c++)
            correct(clock, &buffer[c]);
        if (world->rank != 0) {
            pp_send_bytes(world, buffer, held * sizeof *buffer, 0, PP_TAG_SPANS);
            continue;
        }
        place(schedule, 0, buffer, &timelines[t]);
        for (int r = 1; r < world->size; r++) {
            size_t bytes = (size_t)pp_schedule_held(schedule, r) * sizeof *buffer;
            pp_receive_bytes(world, buffer, bytes, r, PP_TAG_SPANS);
            place(schedule, r, buffer, &timelines[t]);
        }
    }
    free(buffer);
    return 0;
}
