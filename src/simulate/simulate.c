#include "simulate/simulate.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "schedule/verify.h"
#include "schedule/walk.h"

/* What happens to the output of a stage in one direction, in ns. */
struct message {
    int64_t sender, receiver; /* as struct pp_hop */
    int64_t wire;             /* the time it takes up on the link */
    int64_t latency;
    int link; /* which queue it passes through; -1: none */
};

struct simulation {
    const struct pp_schedule *schedule;
    const struct pp_costs *costs;
    uint64_t step;
    struct pp_span *spans;
    struct pp_walk walk;

    int64_t (*op)[PP_KINDS];  /* [stages] durations, slow ranks' factor included */
    struct message *messages; /* [2][stages] of F, then of B and I */
    int64_t *free;            /* [ranks] when the rank can take its next op */
    int64_t *link_free;       /* [links] when the link can take its next message */
    int64_t *arrived; /* [2][stages][walk.row] of messages that queued; NULL where no
                       * link is serialised: then it follows from the end of the op
                       * that released it */
};

/* A lognormal factor of mean 1. The op itself is the counter, so that its noise is the
 * same in every schedule. */
static double noise(const struct simulation *sim, struct pp_op op)
{
    uint64_t id = (uint64_t)op.stage << 32 | (uint64_t)op.kind << 28 | op.microbatch;
    uint64_t seed = sim->costs->seed;
    double sigma = sim->costs->jitter;
    /* Box & Muller, Annals of Mathematical Statistics 29 (1958). */
    double u = pp_uniform(pp_random(seed, 2 * sim->step, id));
    double turn = pp_uniform(pp_random(seed, 2 * sim->step + 1, id));
    double normal = sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * turn);
    return exp(sigma * normal - sigma * sigma / 2);
}

static int64_t duration(const struct simulation *sim, struct pp_op op)
{
    int64_t time = sim->op[op.stage][op.kind];
    if (sim->costs->jitter > 0)
        time = pp_nanoseconds((double)time * noise(sim, op));
    return time;
}

/* A joined pair takes the sum of both unless it has a cost of its own, of which each
 * op is given its share: the two spans lie end to end. */
static void pair_durations(const struct simulation *sim, const struct pp_op *op,
                           int64_t time[2])
{
    int64_t sum = time[0] + time[1];
    if (sim->costs->joined < 0)
        return;
    int rank = sim->schedule->rank_of[op->stage];
    double joined = (double)sim->costs->joined;
    if (sim->costs->slow)
        joined *= sim->costs->slow[rank];
    if (sim->costs->jitter > 0)
        joined *= noise(sim, *op);
    double share = sum > 0 ? (double)time[0] / (double)sum : 0.5;
    time[0] = pp_nanoseconds(share * joined);
    time[1] = pp_nanoseconds(joined) - time[0];
}

/* When the input that an op needs from another stage was produced and arrived, and how
 * long taking it in keeps the rank busy. */
struct input {
    int64_t ready, arrived, receiver;
};

static inline struct input input_of(const struct simulation *sim, struct pp_op op)
{
    struct pp_op producer;
    if (!pp_producer(sim->schedule, op, &producer))
        return (struct input){0, 0, 0};
    size_t output = pp_walk_output(&sim->walk, producer);
    size_t plane = producer.kind == PP_F ? 0 : (size_t)sim->schedule->stages;
    const struct message *message = &sim->messages[plane + producer.stage];
    int64_t ready = sim->walk.released[output] - 1;
    return (struct input){
        .ready = ready,
        .arrived = message->link >= 0
                       ? sim->arrived[output]
                       : ready + message->sender + message->wire + message->latency,
        .receiver = message->receiver,
    };
}

/* Hands the output of an op that ended at time end over; returns how long that keeps
 * the rank busy. */
static int64_t send(struct simulation *sim, struct pp_op op, int64_t end)
{
    if (op.kind == PP_W)
        return 0;
    size_t plane = op.kind == PP_F ? 0 : (size_t)sim->schedule->stages;
    const struct message *message = &sim->messages[plane + op.stage];
    if (message->link >= 0) {
        int64_t *link = &sim->link_free[message->link];
        int64_t leaves = end + message->sender;
        *link = (*link > leaves ? *link : leaves) + message->wire;
        sim->arrived[pp_walk_output(&sim->walk, op)] = *link + message->latency;
    }
    return message->sender;
}

/* The whole model: an op starts when its rank is free and its input has arrived. */
static int64_t visit(void *data, const struct pp_op *op, size_t k, int count)
{
    struct simulation *sim = data;
    struct pp_span *span = &sim->spans[k];
    __builtin_prefetch(&span[PP_WALK_AHEAD], 1);
    int64_t *free = &sim->free[sim->schedule->rank_of[op->stage]];
    int64_t time[2] = {duration(sim, op[0]), 0};
    struct input input = input_of(sim, op[0]);
    if (count == 2) {
        struct input second = input_of(sim, op[1]);
        int64_t receiver = input.receiver + second.receiver;
        if (second.arrived > input.arrived)
            input = second;
        input.receiver = receiver;
        time[1] = duration(sim, op[1]);
        pair_durations(sim, op, time);
    }
    int64_t start = (input.arrived > *free ? input.arrived : *free) + input.receiver;
    int64_t end = start + time[0];
    span[0] = (struct pp_span){start, end, input.ready, input.arrived};
    if (count == 2) {
        span[1] = (struct pp_span){end, end + time[1], end, end};
        end += time[1];
    }
    *free = end;
    for (int i = 0; i < count; i++)
        *free += send(sim, op[i], end);
    return end + 1; /* 0 is for what is not there yet */
}

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

static int set_up_messages(struct simulation *sim, struct pp_error *error)
{
    const struct pp_schedule *schedule = sim->schedule;
    int stages = schedule->stages, result = -1;
    bool queues = false;
    uint64_t *pair = calloc(4 * (size_t)stages, sizeof *pair);
    if (!pair)
        goto done;
    for (int k = 0; k < 2 * stages; k++) {
        int from = k % stages;
        int to = k < stages ? from + 1 : from - 1;
        sim->messages[k].link = -1;
        if (to < 0 || to == stages)
            continue;
        int sender = schedule->rank_of[from], receiver = schedule->rank_of[to];
        const struct pp_hop *hop = pp_costs_hop(sim->costs, sender, receiver);
        if (!hop)
            continue;
        pair[k] = (uint64_t)sender << 32 | (uint64_t)receiver;
        sim->messages[k] = (struct message){
            .sender = hop->sender,
            .receiver = hop->receiver,
            .wire = pp_hop_wire(hop, sim->costs->message_bytes),
            .latency = hop->latency,
            .link = hop->serialise ? 0 : -1,
        };
        queues |= hop->serialise;
    }
    if (queues) {
        int links = number_links(sim->messages, pair, 2 * stages, pair + 2 * stages);
        size_t outputs = 2 * (size_t)stages * sim->walk.row;
        sim->link_free = calloc((size_t)links, sizeof *sim->link_free);
        sim->arrived = malloc(outputs * sizeof *sim->arrived);
        if (!sim->link_free || !sim->arrived)
            goto done;
    }
    result = 0;

done:
    free(pair);
    if (result != 0)
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the links of %d stages",
                stages);
    return result;
}

/* All times of a simulation fit into 63 bits: no path is longer than all ops and
 * messages after one another, each as long as the longest. */
static int check_range(const struct simulation *sim, struct pp_error *error)
{
    const struct pp_schedule *schedule = sim->schedule;
    double longest = (double)sim->costs->joined, message = 0;
    for (int s = 0; s < schedule->stages; s++) {
        for (int kind = 0; kind < PP_KINDS; kind++)
            longest = fmax(longest, (double)sim->op[s][kind]);
    }
    for (int k = 0; k < 2 * schedule->stages; k++) {
        const struct message *m = &sim->messages[k];
        message = fmax(message, (double)m->sender + (double)m->receiver +
                                    (double)m->wire + (double)m->latency);
    }
    /* pp_uniform's smallest value is 2^-54, so a normal deviate is below 8.7. */
    longest *= exp(8.7 * sim->costs->jitter);
    double bound = (longest + 2 * message) * (double)pp_schedule_ops(schedule);
    if (bound < 0x1p62)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "the costs are too long to simulate: %zu ops and messages of up to "
                   "%.3g s may take longer than the clock's 146 years",
                   pp_schedule_ops(schedule), 1e-9 * (longest + 2 * message));
}

static int set_up(struct simulation *sim, struct pp_error *error)
{
    const struct pp_schedule *schedule = sim->schedule;
    size_t stages = (size_t)schedule->stages;
    sim->op = malloc(stages * sizeof *sim->op);
    sim->messages = calloc(2 * stages, sizeof *sim->messages);
    sim->free = calloc((size_t)schedule->ranks, sizeof *sim->free);
    if (!sim->op || !sim->messages || !sim->free)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to simulate '%s'",
                       schedule->name);
    for (size_t s = 0; s < stages; s++) {
        double slow = sim->costs->slow ? sim->costs->slow[schedule->rank_of[s]] : 1;
        for (int kind = 0; kind < PP_KINDS; kind++)
            sim->op[s][kind] = pp_nanoseconds((double)sim->costs->op[s][kind] * slow);
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
        result = pp_verify_order(schedule, error); /* says how it blocks */
    pp_walk_release(&sim.walk);
    free(sim.op);
    free(sim.messages);
    free(sim.free);
    free(sim.link_free);
    free(sim.arrived);
    return result;
}
