#include "run/reduce.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 30 }; /* of a message: MPI counts bytes in int */

static int pieces_of(size_t bytes)
{
    return (int)((bytes + PIECE - 1) / PIECE);
}

/* Behind the tags of the channel: one for the gradient of each copy's stage. The time
 * at which it was ready and its pieces keep their order. */
static int tag_of(const struct pp_schedule *schedule, int copy, int stage)
{
    size_t outputs = 2 * (size_t)schedule->stages * (size_t)schedule->microbatches;
    return PP_TAG_CHANNEL + (int)(outputs + pp_place(schedule, copy, stage));
}

/* Has an earlier copy of the stage the same holder? Then that rank has been served. */
static bool is_repeated(const struct pp_schedule *schedule, int copy, int stage)
{
    int rank = schedule->rank_of[pp_place(schedule, copy, stage)];
    bool found = false;
    for (int c = 0; c < copy; c++)
        found |= schedule->rank_of[pp_place(schedule, c, stage)] == rank;
    return found;
}

/* --- setting up ------------------------------------------------------------------- */

static int init_sum(struct pp_sum *sum, const struct pp_reducer *reducer, int stage,
                    const struct pp_gradient *own, struct pp_error *error)
{
    const struct pp_schedule *schedule = reducer->schedule;
    sum->stage = stage;
    sum->parts = calloc((size_t)schedule->copies, sizeof *sum->parts);
    for (int c = 0; sum->parts && c < schedule->copies; c++) {
        size_t place = pp_place(schedule, c, stage);
        if (schedule->rank_of[place] != reducer->world->rank)
            continue;
        const struct pp_gradient *gradient = &own[schedule->chunk_of[place]];
        sum->parts[c] = (struct pp_part){.own = true, .grads = gradient->grads};
        sum->count = gradient->count;
    }
    bool failed = !sum->parts;
    for (int c = 0; !failed && c < schedule->copies; c++) {
        struct pp_part *part = &sum->parts[c];
        if (!part->own)
            part->grads = pp_touched_alloc(sum->count * sizeof(real));
        failed = !part->grads;
    }
    if (failed)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the gradients of %d weight copies",
                       schedule->copies);
    return 0;
}

/* Does the rank hold the stage, of any copy? */
static bool holds(const struct pp_reducer *reducer, int stage)
{
    const struct pp_schedule *schedule = reducer->schedule;
    bool found = false;
    for (int c = 0; c < schedule->copies; c++)
        found |=
            schedule->rank_of[pp_place(schedule, c, stage)] == reducer->world->rank;
    return found;
}

int pp_reducer_init(struct pp_reducer *reducer, const struct pp_world *world,
                    const struct pp_schedule *schedule, struct pp_clock *clock,
                    const struct pp_gradient *own, struct pp_error *error)
{
    *reducer =
        (struct pp_reducer){.world = world, .schedule = schedule, .clock = clock};
    if (schedule->copies == 1)
        return 0;
    size_t held = (size_t)pp_schedule_held(schedule, world->rank);
    reducer->sums = calloc(held + 1, sizeof *reducer->sums);
    reducer->held = held;
    if (!reducer->sums)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu stages", held);
    for (int s = 0; s < schedule->stages; s++) {
        if (!holds(reducer, s))
            continue;
        struct pp_sum *sum = &reducer->sums[reducer->sum_count++];
        if (init_sum(sum, reducer, s, own, error) != 0)
            return -1;
        /* At most: each copy's part comes from another rank, or goes to every other. */
        reducer->request_capacity += schedule->copies * schedule->copies *
                                     (1 + pieces_of(sum->count * sizeof(real)));
    }
    reducer->requests =
        malloc(((size_t)reducer->request_capacity + 1) * sizeof *reducer->requests);
    if (!reducer->requests)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d messages",
                       reducer->request_capacity);
    return 0;
}

void pp_reducer_release(struct pp_reducer *reducer)
{
    for (int i = 0; reducer->sums && i < reducer->sum_count; i++) {
        struct pp_part *parts = reducer->sums[i].parts;
        for (int c = 0; parts && c < reducer->schedule->copies; c++) {
            if (!parts[c].own)
                free(parts[c].grads);
        }
        free(parts);
    }
    free(reducer->sums);
    free(reducer->requests);
    free(reducer->spans);
    *reducer = (struct pp_reducer){0};
}

/* --- a step ----------------------------------------------------------------------- */

static MPI_Request *next_request(struct pp_reducer *reducer)
{
    assert(reducer->request_count < reducer->request_capacity);
    return &reducer->requests[reducer->request_count++];
}

static void receive(struct pp_reducer *reducer, struct pp_part *part, size_t bytes,
                    int rank, int tag)
{
    MPI_Comm comm = reducer->world->comm;
    MPI_Irecv(&part->ready, sizeof part->ready, MPI_BYTE, rank, tag, comm,
              next_request(reducer));
    for (size_t at = 0; at < bytes; at += PIECE)
        MPI_Irecv((char *)part->grads + at,
                  (int)(bytes - at < PIECE ? bytes - at : PIECE), MPI_BYTE, rank, tag,
                  comm, next_request(reducer));
}

static void send(struct pp_reducer *reducer, const struct pp_part *part, size_t bytes,
                 int rank, int tag)
{
    MPI_Comm comm = reducer->world->comm;
    MPI_Isend(&part->ready, sizeof part->ready, MPI_BYTE, rank, tag, comm,
              next_request(reducer));
    for (size_t at = 0; at < bytes; at += PIECE)
        MPI_Isend((const char *)part->grads + at,
                  (int)(bytes - at < PIECE ? bytes - at : PIECE), MPI_BYTE, rank, tag,
                  comm, next_request(reducer));
}

void pp_reducer_start(struct pp_reducer *reducer)
{
    const struct pp_schedule *schedule = reducer->schedule;
    reducer->request_count = 0;
    for (int i = 0; i < reducer->sum_count; i++) {
        struct pp_sum *sum = &reducer->sums[i];
        for (int c = 0; c < schedule->copies; c++) {
            if (!sum->parts[c].own)
                receive(reducer, &sum->parts[c], sum->count * sizeof(real),
                        schedule->rank_of[pp_place(schedule, c, sum->stage)],
                        tag_of(schedule, c, sum->stage));
        }
    }
}

void pp_reducer_send(struct pp_reducer *reducer, int copy, int stage, int64_t ready)
{
    const struct pp_schedule *schedule = reducer->schedule;
    int i = 0;
    if (reducer->sum_count == 0)
        return;
    while (reducer->sums[i].stage != stage)
        i++;
    struct pp_sum *sum = &reducer->sums[i];
    struct pp_part *own = &sum->parts[copy];
    own->ready = ready;
    for (int c = 0; c < schedule->copies; c++) {
        if (!sum->parts[c].own && !is_repeated(schedule, c, stage))
            send(reducer, own, sum->count * sizeof(real),
                 schedule->rank_of[pp_place(schedule, c, stage)],
                 tag_of(schedule, copy, stage));
    }
}

/* Adds the parts up in ascending order, element by element, into all chunks of this
 * rank: block by block, since the sum takes the place of a part. */
static void add_up(struct pp_sum *sum, int copies)
{
    enum { BLOCK = 1024 };
    real block[BLOCK];
    for (size_t at = 0; at < sum->count; at += BLOCK) {
        size_t count = sum->count - at < BLOCK ? sum->count - at : BLOCK;
        memcpy(block, sum->parts[0].grads + at, count * sizeof *block);
        for (int c = 1; c < copies; c++) {
            const real *part = sum->parts[c].grads + at;
            for (size_t i = 0; i < count; i++)
                block[i] += part[i];
        }
        for (int c = 0; c < copies; c++) {
            if (sum->parts[c].own)
                memcpy(sum->parts[c].grads + at, block, count * sizeof *block);
        }
    }
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the last of the parts was ready. */
static int64_t ready_of(const struct pp_sum *sum, int copies)
{
    int64_t ready = sum->parts[0].ready;
    for (int c = 1; c < copies; c++)
        ready = later(ready, sum->parts[c].ready);
    return ready;
}

/* When the last of the parts was here. */
static int64_t arrival_of(const struct pp_sum *sum, const struct pp_clock *clock,
                          int copies)
{
    int64_t arrived = ready_of(sum, copies);
    for (int c = 0; c < copies; c++) {
        if (!sum->parts[c].own)
            arrived = later(arrived, pp_clock_arrival(clock, sum->parts[c].ready,
                                                      sum->count * sizeof(real)));
    }
    return arrived;
}

/* The sum that was ready first among those from i on takes the i-th place. */
static void bring_first(struct pp_reducer *reducer, int i)
{
    int copies = reducer->schedule->copies, first = i;
    struct pp_sum *sums = reducer->sums, other = sums[i];
    for (int k = i + 1; k < reducer->sum_count; k++) {
        if (ready_of(&sums[k], copies) < ready_of(&sums[first], copies))
            first = k;
    }
    sums[i] = sums[first];
    sums[first] = other;
}

static void note(struct pp_reducer *reducer, const struct pp_sum *sum,
                 struct pp_span span)
{
    const struct pp_schedule *schedule = reducer->schedule;
    for (int c = 0; c < schedule->copies; c++) {
        if (!sum->parts[c].own)
            continue;
        size_t chunk = (size_t)schedule->chunk_of[pp_place(schedule, c, sum->stage)];
        reducer->spans[reducer->steps * reducer->held + chunk] = span;
        span.start = span.end; /* one sum serves all chunks of the rank */
    }
}

/* Makes room for the step's spans. */
static void grow(struct pp_reducer *reducer)
{
    if (reducer->steps < reducer->capacity)
        return;
    reducer->capacity = reducer->capacity > 0 ? 2 * reducer->capacity : 16;
    reducer->spans = realloc(reducer->spans, reducer->capacity * reducer->held *
                                                 sizeof *reducer->spans);
    if (!reducer->spans)
        abort();
}

void pp_reducer_finish(struct pp_reducer *reducer)
{
    struct pp_clock *clock = reducer->clock;
    int copies = reducer->schedule->copies, done = reducer->request_count == 0;
    int64_t ops_end = clock->now, lane = INT64_MIN;
    struct pp_backoff backoff = {0};
    if (reducer->sum_count == 0)
        return;
    while (!done) {
        MPI_Testall(reducer->request_count, reducer->requests, &done,
                    MPI_STATUSES_IGNORE);
        if (!done)
            pp_back_off(reducer->world, &backoff);
    }
    grow(reducer);
    for (int i = 0; i < reducer->sum_count; i++) {
        bring_first(reducer, i);
        struct pp_sum *sum = &reducer->sums[i];
        struct pp_span span = {.ready = ready_of(sum, copies)};
        span.arrived = arrival_of(sum, clock, copies);
        span.start = later(span.ready, lane);
        clock->now = span.start; /* the lane's time, not that of the ops */
        int64_t begin = pp_clock_begin(clock, span.arrived);
        add_up(sum, copies);
        span.end = later(pp_clock_end(clock, begin), span.start);
        lane = span.end;
        note(reducer, sum, span);
    }
    reducer->steps++;
    clock->now = later(ops_end, lane);
}
