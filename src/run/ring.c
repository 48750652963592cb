#include "run/ring.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "run/status.h"

struct pp_sent_parcel {
    MPI_Request request;
    struct pp_parcel *parcel;
};

/* Of a message, what travels: its end, without the ring's own part. */
enum { HEAD = offsetof(struct pp_parcel, data) - offsetof(struct pp_parcel, sent) };

static bool alone(const struct pp_ring *ring)
{
    return ring->world->size == 1;
}

static int before(const struct pp_world *world)
{
    return (world->rank + world->size - 1) % world->size;
}

/* A rank asks MPI for the message that comes after those it has asked for. */
static void post(struct pp_ring *ring, int place)
{
    ring->receives[place] = pp_pool_take(&ring->parcels);
    MPI_Irecv(&ring->receives[place]->sent, (int)(HEAD + ring->most_bytes), MPI_BYTE,
              before(ring->world), PP_TAG_RING, ring->world->comm,
              &ring->requests[place]);
}

int pp_ring_init(struct pp_ring *ring, const struct pp_world *world,
                 const struct pp_clock *clock, size_t most_bytes,
                 struct pp_error *error)
{
    enum { SPARE = 4 }; /* that are filled, or have not gone yet; more as they are */
    *ring = (struct pp_ring){
        .world = world, .clock = clock, .most_bytes = most_bytes, .send_capacity = 16};
    ring->come_end = &ring->come;
    if (most_bytes > INT_MAX - HEAD)
        return pp_fail(error, PP_BAD_INPUT,
                       "a message would have %zu bytes, but MPI takes at most %d",
                       most_bytes, INT_MAX - HEAD);
    ring->sends = malloc((size_t)ring->send_capacity * sizeof *ring->sends);
    if (!ring->sends)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the ring");
    return pp_pool_init(&ring->parcels, sizeof(struct pp_parcel) + most_bytes,
                        SPARE + (alone(ring) ? 0 : PP_RING_RECEIVES), error);
}

void pp_ring_start(struct pp_ring *ring)
{
    for (int i = 0; i < PP_RING_RECEIVES && !alone(ring); i++)
        post(ring, i);
}

static void queue(struct pp_ring *ring, struct pp_parcel *parcel)
{
    parcel->next = NULL;
    *ring->come_end = parcel;
    ring->come_end = &parcel->next;
}

/* Looks at the receives in the order of their messages. The first look that finds one
 * sets its arrival (pp_clock_arrival says why looks should be frequent). No message
 * arrives before one that was sent before it, on the virtual clock either, where the
 * later one may be the smaller. */
static void test_receives(struct pp_ring *ring)
{
    int done = 1;
    while (done) {
        struct pp_parcel *parcel = ring->receives[ring->first];
        MPI_Test(&ring->requests[ring->first], &done, MPI_STATUS_IGNORE);
        if (!done)
            break;
        int64_t arrived =
            pp_clock_arrival(ring->clock, parcel->sent, HEAD + (size_t)parcel->bytes);
        if (arrived < ring->arrived)
            arrived = ring->arrived;
        parcel->arrived = ring->arrived = arrived;
        queue(ring, parcel);
        post(ring, ring->first);
        ring->first = (ring->first + 1) % PP_RING_RECEIVES;
    }
}

/* As in the channel: their order does not matter. */
static void test_sends(struct pp_ring *ring)
{
    for (int i = 0; i < ring->send_count;) {
        struct pp_sent_parcel *send = &ring->sends[i];
        int done = 0;
        MPI_Test(&send->request, &done, MPI_STATUS_IGNORE);
        if (!done) {
            i++;
            continue;
        }
        pp_ring_give(ring, send->parcel);
        *send = ring->sends[--ring->send_count];
    }
}

void pp_ring_poll(void *data)
{
    struct pp_ring *ring = data;
    if (alone(ring))
        return;
    test_receives(ring);
    test_sends(ring);
}

struct pp_parcel *pp_ring_new(struct pp_ring *ring)
{
    return pp_pool_take(&ring->parcels);
}

void pp_ring_give(struct pp_ring *ring, struct pp_parcel *parcel)
{
    pp_pool_give(&ring->parcels, parcel);
}

static struct pp_sent_parcel *new_send(struct pp_ring *ring)
{
    if (ring->send_count == ring->send_capacity) {
        size_t capacity = 2 * (size_t)ring->send_capacity;
        struct pp_sent_parcel *more = realloc(ring->sends, capacity * sizeof *more);
        if (!more) {
            fprintf(stderr, "ppsim: out of memory for %zu messages\n", capacity);
            abort();
        }
        ring->sends = more;
        ring->send_capacity = (int)capacity;
    }
    return &ring->sends[ring->send_count++];
}

void pp_ring_send(struct pp_ring *ring, struct pp_parcel *parcel)
{
    if (alone(ring)) {
        parcel->arrived = parcel->sent;
        queue(ring, parcel);
        return;
    }
    struct pp_sent_parcel *send = new_send(ring);
    send->parcel = parcel;
    MPI_Isend(&parcel->sent, (int)(HEAD + (size_t)parcel->bytes), MPI_BYTE,
              (ring->world->rank + 1) % ring->world->size, PP_TAG_RING,
              ring->world->comm, &send->request);
}

struct pp_parcel *pp_ring_look(struct pp_ring *ring)
{
    pp_ring_poll(ring);
    struct pp_parcel *parcel = ring->come;
    if (!parcel)
        return NULL;
    ring->come = parcel->next;
    if (!ring->come)
        ring->come_end = &ring->come;
    return parcel;
}

struct pp_parcel *pp_ring_wait(struct pp_ring *ring, struct pp_op awaited)
{
    struct pp_backoff backoff = {0};
    struct pp_parcel *parcel = pp_ring_look(ring);
    if (!parcel)
        pp_note_wait(awaited, before(ring->world));
    while (!parcel) {
        pp_back_off(ring->world, &backoff);
        parcel = pp_ring_look(ring);
    }
    return parcel;
}

struct pp_parcel *pp_ring_rest(struct pp_ring *ring)
{
    struct pp_parcel *parcel = pp_ring_look(ring);
    enum { FIRST_NS = 1000000, LAST_NS = 20000000, LONGER = 50 };
    int64_t rested = 0, nap = FIRST_NS;
    pp_note_place(PP_OUTSIDE_OPS, 0);
    while (!parcel) {
        nanosleep(&(struct timespec){.tv_nsec = nap}, NULL);
        rested += nap;
        nap = rested / LONGER < FIRST_NS  ? FIRST_NS
              : rested / LONGER > LAST_NS ? LAST_NS
                                          : rested / LONGER;
        parcel = pp_ring_look(ring);
    }
    return parcel;
}

void pp_ring_release(struct pp_ring *ring)
{
    struct pp_backoff backoff = {0};
    test_sends(ring);
    while (ring->send_count > 0) {
        pp_back_off(ring->world, &backoff);
        test_sends(ring);
    }
    for (int i = 0; i < PP_RING_RECEIVES; i++) {
        if (!ring->receives[i])
            continue;
        MPI_Cancel(&ring->requests[i]);
        MPI_Wait(&ring->requests[i], MPI_STATUS_IGNORE);
        pp_ring_give(ring, ring->receives[i]);
    }
    while (ring->come) {
        struct pp_parcel *parcel = ring->come;
        ring->come = parcel->next;
        pp_ring_give(ring, parcel);
    }
    pp_pool_release(&ring->parcels);
    free(ring->sends);
    *ring = (struct pp_ring){0};
}
