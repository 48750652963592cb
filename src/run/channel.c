#include "run/channel.h"

#include <assert.h>
#include <stdlib.h>

#include "run/status.h"
#include "schedule/walk.h"

/* One tag per output of a step: F's, then B's and I's. Steps need not be told apart: a
 * rank begins the next one only after the step's reductions, by which time every
 * message of this one has been received. */
static int tag_of(const struct pp_schedule *schedule, struct pp_op producer)
{
    return PP_TAG_CHANNEL + (int)pp_output_index(schedule, producer);
}

static int check_tags(const struct pp_schedule *schedule, struct pp_error *error)
{
    int *most, found;
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &most, &found);
    double gradients = schedule->copies > 1 ? schedule->copies : 0; /* of a stage */
    double tags =
        (2.0 * schedule->microbatches + gradients) * schedule->stages + PP_TAG_CHANNEL;
    if (found && tags <= *most)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "%d stages and %d microbatches need %.0f message tags, but this MPI "
                   "has %d: use fewer microbatches",
                   schedule->stages, schedule->microbatches, tags, found ? *most : 0);
}

/* Which ops the messages come from. Whether a gradient is a B's or an I's is for the
 * stage's own rank to know, so it is looked up. */
static int name_awaited(struct pp_channel *channel, struct pp_error *error)
{
    const struct pp_schedule *schedule = channel->schedule;
    size_t m = (size_t)schedule->microbatches, count = (size_t)channel->expected_count;
    uint8_t *kinds = malloc((size_t)schedule->stages * m); /* of the gradients */
    channel->awaited = malloc((count + 1) * sizeof *channel->awaited);
    if (!kinds || !channel->awaited) {
        free(kinds);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the channel");
    }
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        struct pp_op op = schedule->ops[k];
        if (op.kind == PP_B || op.kind == PP_I)
            kinds[op.stage * m + op.microbatch] = op.kind;
    }
    for (size_t i = 0; i < count; i++) {
        struct pp_op *op = &channel->awaited[i];
        pp_producer(schedule, schedule->ops[channel->expected[i]], op);
        if (op->kind != PP_F)
            op->kind = kinds[op->stage * m + op->microbatch] & 7; /* its bits */
    }
    free(kinds);
    return 0;
}

int pp_channel_init(struct pp_channel *channel, const struct pp_world *world,
                    const struct pp_schedule *schedule, const struct pp_clock *clock,
                    struct pp_pool *wires, int message_bytes, struct pp_error *error)
{
    size_t begin = schedule->first[world->rank];
    size_t end = schedule->first[world->rank + 1];
    *channel = (struct pp_channel){
        .world = world,
        .schedule = schedule,
        .clock = clock,
        .wires = wires,
        .message_bytes = message_bytes,
        .expected = malloc((end - begin + 1) * sizeof *channel->expected),
        .sends = malloc((end - begin + 1) * sizeof *channel->sends),
        .send_capacity = (int)(end - begin),
    };
    if (!channel->expected || !channel->sends) {
        pp_channel_release(channel);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the channel");
    }
    for (size_t k = begin; k < end; k++) {
        if (pp_channel_expects(channel, schedule->ops[k]))
            channel->expected[channel->expected_count++] = k;
    }
    if (name_awaited(channel, error) != 0) {
        pp_channel_release(channel);
        return -1;
    }
    return check_tags(schedule, error);
}

void pp_channel_release(struct pp_channel *channel)
{
    free(channel->awaited);
    free(channel->expected);
    free(channel->sends);
    *channel = (struct pp_channel){0};
}

bool pp_channel_expects(const struct pp_channel *channel, struct pp_op op)
{
    struct pp_op producer;
    return pp_producer(channel->schedule, op, &producer) &&
           pp_op_rank(channel->schedule, producer) != channel->world->rank;
}

/* Posts receives until PP_RECEIVES_AHEAD are under way or arrived, or no more are
 * expected. A buffer is taken from the pool when its receive is posted; the caller of
 * pp_channel_take gives it back. */
static void post_receives(struct pp_channel *channel)
{
    const struct pp_schedule *schedule = channel->schedule;
    while (channel->posted < channel->expected_count &&
           channel->posted < channel->next + PP_RECEIVES_AHEAD) {
        struct pp_receive *receive =
            &channel->receives[channel->posted % PP_RECEIVES_AHEAD];
        struct pp_op producer;
        pp_producer(schedule, schedule->ops[channel->expected[channel->posted]],
                    &producer);
        receive->wire = pp_pool_take(channel->wires);
        receive->arrived = false;
        MPI_Irecv(receive->wire, channel->message_bytes, MPI_BYTE,
                  pp_op_rank(schedule, producer), tag_of(schedule, producer),
                  channel->world->comm, &receive->request);
        channel->posted++;
    }
}

void pp_channel_start(struct pp_channel *channel)
{
    channel->next = channel->posted = 0;
    post_receives(channel);
}

/* Tests the receives under way. The first look that finds a message sets its arrival:
 * on the wall clock now, so looks should be frequent (pp_channel_poll); on the virtual
 * clock a time that follows from the sender's, whenever the look is. */
static void test_receives(struct pp_channel *channel)
{
    for (int i = channel->next; i < channel->posted; i++) {
        struct pp_receive *receive = &channel->receives[i % PP_RECEIVES_AHEAD];
        int done = 0;
        if (receive->arrived)
            continue;
        MPI_Test(&receive->request, &done, MPI_STATUS_IGNORE);
        if (done) {
            receive->arrived = true;
            receive->wire->arrived = pp_clock_arrival(
                channel->clock, receive->wire->sent, (size_t)channel->message_bytes);
        }
    }
}

/* Tests the sends under way. A wire whose send is over goes back to the pool; the last
 * send takes its place, since their order does not matter. */
static void test_sends(struct pp_channel *channel)
{
    for (int i = 0; i < channel->send_count;) {
        struct pp_send *send = &channel->sends[i];
        int done = 0;
        MPI_Test(&send->request, &done, MPI_STATUS_IGNORE);
        if (!done) {
            i++;
            continue;
        }
        pp_pool_give(channel->wires, send->wire);
        *send = channel->sends[--channel->send_count];
    }
}

void pp_channel_poll(void *data)
{
    struct pp_channel *channel = data;
    test_receives(channel);
    test_sends(channel);
}

struct pp_wire *pp_channel_take(struct pp_channel *channel)
{
    assert(channel->next < channel->posted);
    struct pp_receive *receive = &channel->receives[channel->next % PP_RECEIVES_AHEAD];
    struct pp_backoff backoff = {0};
    struct pp_op awaited = channel->awaited[channel->next];
    pp_note_wait(awaited, pp_op_rank(channel->schedule, awaited));
    pp_channel_poll(channel);
    while (!receive->arrived) {
        pp_back_off(channel->world, &backoff);
        pp_channel_poll(channel);
    }
    struct pp_wire *wire = receive->wire;
    channel->next++; /* its place in the ring is free: */
    post_receives(channel);
    return wire;
}

void pp_channel_send(struct pp_channel *channel, struct pp_op op, struct pp_wire *wire)
{
    struct pp_op consumer;
    pp_consumer(channel->schedule, op, &consumer);
    assert(channel->send_count < channel->send_capacity);
    struct pp_send *send = &channel->sends[channel->send_count++];
    send->wire = wire;
    MPI_Isend(wire, channel->message_bytes, MPI_BYTE,
              pp_op_rank(channel->schedule, consumer), tag_of(channel->schedule, op),
              channel->world->comm, &send->request);
}

void pp_channel_finish(struct pp_channel *channel)
{
    struct pp_backoff backoff = {0};
    test_sends(channel);
    while (channel->send_count > 0) {
        pp_back_off(channel->world, &backoff);
        test_sends(channel);
    }
}
