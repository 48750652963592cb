/* The ring: ranks that each pass messages on to the next, the last to the first. What
 * generation needs of MPI, and all that it needs.
 *
 * Messages arrive in the order in which they were sent, are of any size up to the
 * ring's largest, and any number may be under way. A send is begun and left alone; a
 * rank waits for nothing but the next message from the rank before it. Receives are
 * posted ahead, so that a message goes straight into its buffer.
 *
 * A ring of one hands its messages over by pointer and asks MPI for nothing. */
#ifndef PP_RUN_RING_H
#define PP_RUN_RING_H

#include "base/pages.h"
#include "run/clock.h"
#include "run/pool.h"
#include "run/world.h"
#include "schedule/schedule.h"

/* One message. Who has it from pp_ring_new, _look or _wait owes it to _send or _give.
 */
struct pp_parcel {
    struct pp_parcel *next; /* the ring's */
    int64_t arrived;        /* ns on this rank's clock */
    char pad[PP_ALIGN - sizeof(struct pp_parcel *) - sizeof(int64_t)];
    /* What travels begins here. */
    int64_t sent;  /* ns on the common clock: when what it tells was done */
    int64_t bytes; /* of data, at most the ring's most_bytes */
    char filler[PP_ALIGN - 2 * sizeof(int64_t)];
    char data[]; /* aligned to PP_ALIGN */
};

enum { PP_RING_RECEIVES = 4 };

struct pp_ring {
    const struct pp_world *world; /* borrowed, as is the next one */
    const struct pp_clock *clock;
    size_t most_bytes; /* of a message's data */
    struct pp_pool parcels;

    /* From the rank before: receives[(first + i) % PP_RING_RECEIVES] is the i-th in the
     * order of the messages. */
    MPI_Request requests[PP_RING_RECEIVES];
    struct pp_parcel *receives[PP_RING_RECEIVES];
    int first;
    int64_t arrived; /* the last of them that has come */

    /* What has come and was not taken yet, in order; and what is on its way to the
     * next rank, in any. */
    struct pp_parcel *come, **come_end;
    struct pp_sent_parcel
        *sends; /* [send_capacity] the first send_count are under way */
    int send_count, send_capacity;
};

/* The world and the clock outlive the ring. PP_BAD_INPUT where MPI cannot
 * send messages of that size, PP_ENVIRONMENT when out of memory, on this rank alone. */
int pp_ring_init(struct pp_ring *ring, const struct pp_world *world,
                 const struct pp_clock *clock, size_t most_bytes,
                 struct pp_error *error);

/* Once the ring is there on every rank: messages may come. */
void pp_ring_start(struct pp_ring *ring);

/* When no message is to come any more; waits until all have gone. */
void pp_ring_release(struct pp_ring *ring);

/* An empty message, to be filled. */
struct pp_parcel *pp_ring_new(struct pp_ring *ring);
void pp_ring_give(struct pp_ring *ring, struct pp_parcel *parcel);

/* Sends it to the next rank; sent and bytes are set. */
void pp_ring_send(struct pp_ring *ring, struct pp_parcel *parcel);

/* The next message from the rank before, if it has come, else NULL. */
struct pp_parcel *pp_ring_look(struct pp_ring *ring);

/* Waits for it. awaited: the op whose result it brings, for the status page. */
struct pp_parcel *pp_ring_wait(struct pp_ring *ring, struct pp_op awaited);

/* The same where the whole ring has nothing to do: asleep but for looks, the fewer the
 * longer it rests, from one each millisecond to one in twenty. A look wakes caches and
 * the scheduler too, some 30 us together: after a second that is 0.2 % of a core. */
struct pp_parcel *pp_ring_rest(struct pp_ring *ring);

/* Makes progress on the ring that data points to. Cheap, for calling inside long ops.
 */
void pp_ring_poll(void *data);

#endif
