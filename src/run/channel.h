/* The channel: activations and gradients on their way between ranks.
 *
 * Non-blocking messages only, each tagged by (direction, stage, microbatch): a message
 * is known by what it is, not by when it comes, so the two ends need not agree on an
 * order. A send is begun and left alone; a rank only ever waits for the input of its
 * next op, while it makes progress on everything else. So ranks wait for each other
 * just as the schedule's dependencies say, and no schedule that verify accepts can
 * deadlock, whether or not the MPI library buffers what it sends.
 *
 * Receives are posted ahead, PP_RECEIVES_AHEAD of them, in the order in which the rank
 * will want them. That is for speed: a message whose receive is posted goes straight
 * into its buffer; one that is not waits at its sender, or is copied twice. It is also
 * the bound on the buffers that a rank needs for what has arrived before its turn. */
#ifndef PP_RUN_CHANNEL_H
#define PP_RUN_CHANNEL_H

#include "model/real.h"
#include "run/clock.h"
#include "run/pool.h"
#include "run/world.h"
#include "schedule/schedule.h"

/* What travels: the output of a stage, (N, C), and when it was produced. Handed over
 * by pointer between stages of one rank, as a message otherwise. */
struct pp_wire {
    int64_t sent;    /* end of the op that produced it, on the common clock */
    int64_t arrived; /* on this rank; = sent where handed over by pointer */
    char pad[PP_ALIGN - 2 * sizeof(int64_t)];
    real data[];
};

struct pp_receive {
    MPI_Request request;
    struct pp_wire *wire;
    bool arrived;
};

struct pp_send {
    MPI_Request request;
    struct pp_wire *wire;
};

enum { PP_RECEIVES_AHEAD = 4 };

struct pp_channel {
    const struct pp_world *world;
    const struct pp_schedule *schedule;
    const struct pp_clock *clock;
    struct pp_pool *wires; /* borrowed */
    int message_bytes;     /* of a wire, header included */

    struct pp_op *awaited; /* [expected_count] which op makes the message of each */
    size_t *expected;      /* [expected_count] ops of this rank that take a message */
    int expected_count;    /* from another rank, in order */
    int next;              /* the first of them that has not been taken: its message is
                            * the one that the rank wants next */
    int posted;            /* the first of them that has no receive posted;
                            * next <= posted <= next + PP_RECEIVES_AHEAD */
    struct pp_receive receives[PP_RECEIVES_AHEAD]; /* a ring: of the i-th expected op
                                                    * at i % PP_RECEIVES_AHEAD */

    struct pp_send *sends; /* [send_capacity] the first send_count are under way */
    int send_count, send_capacity;
};

/* The world, the clock and the pool of wires outlive the channel. PP_BAD_INPUT if the
 * tags of this schedule exceed what MPI offers. */
int pp_channel_init(struct pp_channel *channel, const struct pp_world *world,
                    const struct pp_schedule *schedule, const struct pp_clock *clock,
                    struct pp_pool *wires, int message_bytes, struct pp_error *error);
void pp_channel_release(struct pp_channel *channel);

/* A step begins: posts the first receives. */
void pp_channel_start(struct pp_channel *channel);

/* Does this op take a message from another rank? */
bool pp_channel_expects(const struct pp_channel *channel, struct pp_op op);

/* Waits for the message of the next op that expects one; the caller gives the wire
 * back to the pool. */
struct pp_wire *pp_channel_take(struct pp_channel *channel);

/* Sends the output of op to the rank that needs it; the channel gives the wire back
 * to the pool when it has gone. */
void pp_channel_send(struct pp_channel *channel, struct pp_op op, struct pp_wire *wire);

/* Makes progress on the channel that data points to: MPI moves large messages only
 * while it is called. Cheap, for calling inside long ops. */
void pp_channel_poll(void *data);

/* A step ends: waits until every send has gone. Every receive has been taken. */
void pp_channel_finish(struct pp_channel *channel);

#endif
