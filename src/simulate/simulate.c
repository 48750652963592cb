#include "simulate/simulate.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "schedule/verify.h"
#include "schedule/walk.h"
#include "simulate/reduce.h"

/* The simulation is the walk (schedule/walk.h) with one rule for time: an op starts
 * when its rank is free and its input has arrived. The walk visits an op only after
 * what it depends on, so both times are known then, and one visit settles the op for
 * good: there is no queue of future events. That is right because nothing that is
 * visited later could still change them: a rank's ops run in the order given, and the
 * messages of a link leave in the order in which the one rank that sends on it makes
 * them.
 *
 * Where the time goes, for an op whose input comes from another rank:
 *
 *     producer's rank  ──F──┤ sender ├
 *                           ready     ··· wire ··· latency ··· arrived
 *     this rank        ──earlier ops──┤                        ├ receiver ├──F──
 *
 * ready is the producer's end. The message leaves when the sender's overhead is over;
 * it takes up the link for wire = bytes / bandwidth, and arrives latency later. Where
 * the link is serialised, it first waits until the message before it has passed. The
 * second message of a joined pair leaves after the first. */

/* What a message costs: one for each variant and row of outputs of the walk, since all
 * outputs of one stage in one direction take the same way. In ns. */
struct message {
    int64_t sender, receiver; /* as struct pp_hop */
    int64_t wire;             /* the time it takes up on the link */
    int64_t latency;
    int64_t delay; /* sender + wire + latency: from the end of its op to its arrival,
                    * where it waits for nothing at its sender */
    bool waits;    /* it may wait there, for the link or for the first message of its
                    * pair: its arrival is kept in arrived. Or it is row S of a schedule
                    * that decodes, and the one that travels, or none, is in row 0 */
    int link;      /* the link that it queues for; -1: it does not queue */
};

struct simulation {
    const struct pp_schedule *schedule;
    const struct pp_costs *costs;
    uint64_t step;
    struct pp_span *spans;
    struct pp_walk walk;

    /* What microbatches differ in: their weight copy; in decoding their class, and
     * whether they begin with tokens that come back, which the second half do. */
    const int *variant_of; /* [microbatches] borrowed; NULL: all are alike */
    int variants;
    int *begins; /* [microbatches] variant_of where it decodes, owned */
    int64_t (
        *op)[PP_KINDS]; /* [variants][stages] durations, slow ranks' factor in them */
    struct message
        *messages;      /* [variants][pp_walk_rows]; all 0 where nothing travels */
    int64_t *free;      /* [ranks] when the rank can take its next op */
    int64_t *link_free; /* [links] when the link can take its next message */
    int64_t *arrived; /* [pp_walk_rows][walk.row] of messages that may wait; NULL where
                       * none does: then the arrival is ready + delay */
};

/* --- time ------------------------------------------------------------------------ */

/* A lognormal factor of mean 1. The op itself is the counter, so that its noise is the
 * same in every schedule. */
static double noise(const struct simulation *sim, struct pp_op op)
{
    uint64_t id = (uint64_t)op.stage << 32 | (uint64_t)op.kind << 28 | op.microbatch;
    uint64_t seed = sim->costs->seed;
    double sigma = sim->costs->jitter;
    struct pp_normals pair = pp_normals(pp_random(seed, 2 * sim->step, id),
                                        pp_random(seed, 2 * sim->step + 1, id));
    double normal = pair.radius * cos(pair.angle);
    return exp(sigma * normal - sigma * sigma / 2);
}

static inline int variant_of(const struct simulation *sim, size_t microbatch)
{
    return sim->variant_of ? sim->variant_of[microbatch] : 0;
}

static int64_t duration(const struct simulation *sim, struct pp_op op, size_t index)
{
    if (sim->costs->each)
        return sim->costs->each[index];
    int variant = variant_of(sim, op.microbatch);
    int64_t time = sim->op[pp_place(sim->schedule, variant, (int)op.stage)][op.kind];
    if (sim->costs->jitter > 0)
        time = pp_nanoseconds((double)time * noise(sim, op));
    return time;
}

/* What joined pairs take that stages have a cost of, by the first op. */
static double joined_cost(const struct simulation *sim, struct pp_op op)
{
    double joined = (double)sim->costs->joined[op.stage];
    if (sim->costs->slow)
        joined *= sim->costs->slow[pp_op_rank(sim->schedule, op)];
    if (sim->costs->jitter > 0)
        joined *= noise(sim, op);
    return joined;
}

/* A joined pair takes the sum of both, times a factor, unless it has a cost of its own.
 * Each op is given its share: the two spans lie end to end. */
static void pair_durations(const struct simulation *sim, const struct pp_op *op,
                           int64_t time[2])
{
    int64_t sum = time[0] + time[1];
    double factor = sim->costs->joined_factor;
    if (!sim->costs->joined && factor == 1)
        return;
    double joined = sim->costs->joined ? joined_cost(sim, *op) : factor * (double)sum;
    double share = sum > 0 ? (double)time[0] / (double)sum : 0.5;
    time[0] = pp_nanoseconds(share * joined);
    time[1] = pp_nanoseconds(joined) - time[0];
}

/* The message of a row of outputs, as it is for the microbatch that needs it. */
static inline const struct message *message_of(const struct simulation *sim, size_t row,
                                               size_t microbatch)
{
    size_t variant = (size_t)variant_of(sim, microbatch);
    return &sim->messages[variant * pp_walk_rows(sim->schedule) + row];
}

/* When the input that an op needs from another stage was produced and arrived, and how
 * long taking it in keeps the rank busy. For an op that needs none all are 0, as its
 * row's mark and costs are. */
struct input {
    int64_t ready, arrived, receiver;
};

static inline struct input input_of(const struct simulation *sim,
                                    const struct pp_walk_visit *at, int k)
{
    size_t row = pp_walk_from(sim->schedule, at->op[k]);
    const struct message *message = message_of(sim, row, at->op[k].microbatch);
    int64_t ready = at->input[k];
    return (struct input){
        .ready = ready,
        .arrived = message->waits
                       ? sim->arrived[row * sim->walk.row + at->op[k].microbatch]
                       : ready + message->delay,
        .receiver = message->receiver,
    };
}

/* Sends the output of an op, beginning at the time from, when its rank is free for it.
 * Returns when the message leaves, and the rank is free again. */
static inline int64_t send(const struct simulation *sim, struct pp_op op, int64_t from)
{
    size_t row = pp_walk_to(sim->schedule, op);
    const struct message *message = message_of(sim, row, op.microbatch);
    if (!message->waits)
        return from + message->sender;
    struct pp_walk_place to = pp_walk_found(sim->schedule, op);
    message = message_of(sim, to.row, to.microbatch);
    int64_t leaves = from + message->sender, sent = leaves + message->wire;
    if (message->link >= 0) {
        int64_t *link = &sim->link_free[message->link];
        sent = *link = (*link > leaves ? *link : leaves) + message->wire;
    }
    if (sim->arrived)
        sim->arrived[to.row * sim->walk.row + to.microbatch] = sent + message->latency;
    return leaves;
}

/* The rule: an op starts when its rank is free and its input has arrived. A joined pair
 * waits for both inputs, then runs end to end and releases both outputs at its end. */
PP_WALK_INLINE int64_t visit(void *data, const struct pp_walk_visit *at)
{
    const struct simulation *sim = data;
    struct pp_span *span = &sim->spans[at->index];
    __builtin_prefetch(&span[PP_WALK_AHEAD], 1);
    int64_t *free = &sim->free[at->rank];
    int64_t time[2] = {duration(sim, at->op[0], at->index), 0};
    struct input input = input_of(sim, at, 0), second = {0};
    if (at->count == 2) {
        second = input_of(sim, at, 1);
        time[1] = duration(sim, at->op[1], at->index + 1);
        pair_durations(sim, at->op, time);
    }

    /* The latest of three; then taking the inputs in, which keeps the rank busy. */
    int64_t start = *free > input.arrived ? *free : input.arrived;
    start = (start > second.arrived ? start : second.arrived) + input.receiver +
            second.receiver;
    int64_t end = start + time[0];
    span[0] = (struct pp_span){start, end, input.ready, input.arrived};
    if (at->count == 2) {
        span[1] = (struct pp_span){end, end + time[1], second.ready, second.arrived};
        end += time[1];
    }

    /* The rank is free again when all is sent. */
    *free = end;
    for (int k = 0; k < at->count; k++)
        *free = send(sim, at->op[k], *free);
    return end;
}

/* --- setting up ------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Numbers the directed pairs of ranks that messages travel between; link is the index
 * of the pair in the sorted list. Returns how many there are. */
static int number_links(struct message *messages, const uint64_t *pair, int count,
                        uint64_t *sorted)
{
    int links = 0;
    for (int k = 0; k < count; k++)
        sorted[k] = pair[k];
    qsort(sorted, (size_t)count, sizeof *sorted, compare_keys);
    for (int k = 0; k < count; k++) {
        if (k == 0 || sorted[k] != sorted[links - 1])
            sorted[links++] = sorted[k];
    }
    for (int k = 0; k < count; k++) {
        const uint64_t *found =
            bsearch(&pair[k], sorted, (size_t)links, sizeof *sorted, compare_keys);
        if (messages[k].link >= 0)
            messages[k].link = (int)(found - sorted);
    }
    return links;
}

/* Where ops are joined and sending takes time, the second message of a pair waits for
 * the first. */
static bool pairs_wait(const struct simulation *sim)
{
    const struct pp_costs *costs = sim->costs;
    return (costs->near.sender > 0 || costs->far.sender > 0) &&
           pp_schedule_joins(sim->schedule);
}

/* Sets the message that a variant's output of op is, if it travels to another rank;
 * pair of it is then its directed pair of ranks. NULL if it does not travel. */
static const struct message *set_up_message(struct simulation *sim, int variant,
                                            struct pp_op op, bool pairs, uint64_t *pair)
{
    const struct pp_schedule *schedule = sim->schedule;
    struct pp_op consumer;
    if (!pp_consumer(schedule, op, &consumer))
        return NULL;
    bool decodes = pp_decodes(schedule);
    int copy = decodes ? 0 : variant,
        of_class = decodes ? variant % schedule->class_count : 0;
    int sender = schedule->rank_of[pp_place(schedule, copy, (int)op.stage)];
    int receiver = schedule->rank_of[pp_place(schedule, copy, (int)consumer.stage)];
    const struct pp_hop *hop = pp_costs_hop(sim->costs, sender, receiver);
    if (!hop)
        return NULL;
    bool feedback = op.kind == PP_F && consumer.stage == 0;
    int64_t wire =
        pp_hop_wire(hop, pp_costs_bytes(sim->costs, schedule, of_class, feedback));
    size_t at = (size_t)variant * pp_walk_rows(schedule),
           row = pp_walk_to(schedule, op);
    if (feedback)
        sim->messages[at + row].waits = true;
    if (feedback && variant < schedule->class_count)
        return NULL;
    at += pp_walk_found(schedule, op).row;
    struct message *message = &sim->messages[at];
    pair[at] = (uint64_t)sender << 32 | (uint64_t)receiver;
    *message = (struct message){
        .sender = hop->sender,
        .receiver = hop->receiver,
        .wire = wire,
        .latency = hop->latency,
        .delay = hop->sender + wire + hop->latency,
        .waits = hop->serialise || pairs,
        .link = hop->serialise ? 0 : -1, /* numbered when all are known */
    };
    return message;
}

/* In decoding, a microbatch whose tokens go back, if there is one: it shows the way. */
static uint32_t first_fed(const struct pp_schedule *schedule)
{
    for (int i = 0; schedule->then && i < schedule->microbatches; i++) {
        if (schedule->then[i] >= 0)
            return (uint32_t)i;
    }
    return 0;
}

static int set_up_messages(struct simulation *sim, struct pp_error *error)
{
    const struct pp_schedule *schedule = sim->schedule;
    size_t rows = pp_walk_rows(schedule), count = (size_t)sim->variants * rows;
    uint32_t fed = first_fed(schedule);
    int result = -1;
    bool pairs = pairs_wait(sim), queues = false, waits = false;
    uint64_t *pair = calloc(2 * count, sizeof *pair); /* [count], and as many to sort */
    sim->messages = calloc(count, sizeof *sim->messages);
    if (!pair || !sim->messages)
        goto done;
    for (size_t at = 0; at < count; at++)
        sim->messages[at].link = -1;
    for (int k = 0; k < 2 * sim->variants * schedule->stages; k++) {
        struct pp_op op = {.stage = (uint32_t)(k / 2 % schedule->stages),
                           .kind = k % 2 == 0 ? PP_F : PP_I,
                           .microbatch = fed & (PP_MAX_MICROBATCHES - 1)};
        const struct message *message =
            set_up_message(sim, k / 2 / schedule->stages, op, pairs, pair);
        waits |= message && message->waits;
        queues |= message && message->link >= 0;
    }
    if (waits) {
        sim->arrived = malloc(rows * sim->walk.row * sizeof *sim->arrived);
        if (!sim->arrived)
            goto done;
    }
    if (queues) {
        int links = number_links(sim->messages, pair, (int)count, pair + count);
        sim->link_free = calloc((size_t)links, sizeof *sim->link_free);
        if (!sim->link_free)
            goto done;
    }
    result = 0;

done:
    free(pair);
    if (result != 0)
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the links of %d stages",
                schedule->stages);
    return result;
}

/* Refuses costs whose times might not fit 63 bits. No path is longer than all ops and
 * messages after one another, each as long as the longest; messages are counted twice,
 * to have room to spare. */
static int check_range(const struct simulation *sim, struct pp_error *error)
{
    const struct pp_schedule *schedule = sim->schedule;
    double longest = 0, message = 0, slowest = 1;
    for (int r = 0; sim->costs->slow && r < schedule->ranks; r++)
        slowest = fmax(slowest, sim->costs->slow[r]);
    for (int s = 0; sim->costs->joined && s < schedule->stages; s++)
        longest = fmax(longest, (double)sim->costs->joined[s] * slowest);
    /* The factors of ops are in them. */
    for (int at = 0; at < sim->variants * schedule->stages; at++) {
        for (int kind = 0; kind < PP_KINDS; kind++)
            longest = fmax(longest, fmax(1, sim->costs->joined_factor) *
                                        (double)sim->op[at][kind]);
    }
    for (size_t k = 0; sim->costs->each && k < pp_schedule_ops(schedule); k++)
        longest = fmax(longest, (double)sim->costs->each[k]);
    size_t messages = (size_t)sim->variants * pp_walk_rows(schedule);
    for (size_t at = 0; at < messages; at++)
        message = fmax(message, (double)sim->messages[at].receiver +
                                    (double)sim->messages[at].delay);
    /* pp_uniform's smallest value is 2^-54, so a normal deviate is below 8.7. */
    longest *= exp(8.7 * sim->costs->jitter);
    double bound = (longest + 2 * message) * (double)pp_schedule_ops(schedule);
    for (int s = 0; sim->costs->reduce && s < schedule->stages; s++)
        bound += (double)sim->costs->reduce[s];
    if (bound < 0x1p62)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "the costs are too large to simulate: %zu ops and messages of up to "
                   "%.3g s each may take longer than the clock's 146 years",
                   pp_schedule_ops(schedule), 1e-9 * (longest + 2 * message));
}

/* The variants of microbatches that decode. */
static int tell_apart(struct simulation *sim, struct pp_error *error)
{
    const struct pp_schedule *schedule = sim->schedule;
    sim->begins = malloc((size_t)schedule->microbatches * sizeof *sim->begins);
    if (!sim->begins)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to simulate '%s'",
                       schedule->name);
    for (int i = 0; i < schedule->microbatches; i++)
        sim->begins[i] = schedule->class_of[i] +
                         (schedule->after[i] >= 0 ? schedule->class_count : 0);
    sim->variant_of = sim->begins;
    return 0;
}

static int set_up(struct simulation *sim, struct pp_error *error)
{
    const struct pp_schedule *schedule = sim->schedule;
    bool decodes = pp_decodes(schedule);
    sim->variants = decodes ? 2 * schedule->class_count : schedule->copies;
    sim->variant_of = schedule->copy_of;
    if (decodes && tell_apart(sim, error) != 0)
        return -1;
    sim->op = malloc((size_t)(sim->variants * schedule->stages) * sizeof *sim->op);
    sim->free = calloc((size_t)schedule->ranks, sizeof *sim->free);
    if (!sim->op || !sim->free)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to simulate '%s'",
                       schedule->name);
    for (int at = 0; at < sim->variants * schedule->stages; at++) {
        int stage = at % schedule->stages;
        int rank = schedule->rank_of[decodes ? stage : at];
        double slow = sim->costs->slow ? sim->costs->slow[rank] : 1;
        int variant = at / schedule->stages;
        const int64_t *op = pp_costs_of(
            sim->costs, decodes ? variant % schedule->class_count : 0, stage);
        for (int kind = 0; kind < PP_KINDS; kind++)
            sim->op[at][kind] = pp_nanoseconds((double)op[kind] * slow);
    }
    if (pp_walk_init(&sim->walk, schedule, error) != 0 ||
        set_up_messages(sim, error) != 0)
        return -1;
    return check_range(sim, error);
}

int pp_simulate(const struct pp_schedule *schedule, const struct pp_costs *costs,
                int step, struct pp_timeline *timeline, struct pp_error *error)
{
    struct simulation sim = {
        .schedule = schedule,
        .costs = costs,
        .step = (uint64_t)step,
        .spans = timeline->spans,
    };
    int result = set_up(&sim, error);
    if (result == 0 && pp_walk(&sim.walk, visit, &sim) != pp_schedule_ops(schedule))
        result =
            pp_verify_order(schedule, schedule->name, error); /* says how it blocks */
    if (result == 0)
        result = pp_simulate_reductions(costs, timeline, error);
    pp_walk_release(&sim.walk);
    free(sim.begins);
    free(sim.op);
    free(sim.messages);
    free(sim.free);
    free(sim.link_free);
    free(sim.arrived);
    return result;
}
