/* The simulation against a naive one, which knows no walk: it starts from no message
 * having been sent, and goes over all ranks until nothing changes any more. Random
 * schedules of the catalogue, on random costs, links and slow ranks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/replay.h"
#include "../unit/unit.h"
#include "base/random.h"

struct naive {
    const struct pp_schedule *schedule;
    const struct pp_costs *costs;
    int64_t *produced, *arrived; /* [ops] outputs: when, and at the other end when */
    struct pp_span *spans;       /* [ops] */
    int64_t *busy_until;         /* [ranks] links from the rank under way to each */
};

static size_t find(const struct pp_schedule *schedule, unsigned stage, bool forward,
                   unsigned microbatch)
{
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        const struct pp_op *op = &schedule->ops[k];
        bool same = forward ? op->kind == PP_F : op->kind == PP_B || op->kind == PP_I;
        if (same && op->stage == stage && op->microbatch == microbatch)
            return k;
    }
    ck_abort_msg("no op of stage %u on microbatch %u", stage, microbatch);
    return 0;
}

/* The index of the op that the k-th needs from another stage; -1 for none. */
static long needed(const struct pp_schedule *schedule, size_t k)
{
    struct pp_op op = schedule->ops[k];
    if (op.kind == PP_F && op.stage == 0 && schedule->after &&
        schedule->after[op.microbatch] >= 0)
        return (long)find(schedule, (unsigned)schedule->stages - 1, true,
                          (unsigned)schedule->after[op.microbatch]);
    if (op.kind == PP_F && op.stage > 0)
        return (long)find(schedule, op.stage - 1, true, op.microbatch);
    if ((op.kind == PP_B || op.kind == PP_I) && (int)op.stage + 1 < schedule->stages)
        return (long)find(schedule, op.stage + 1, false, op.microbatch);
    return -1;
}

static int copy_of(const struct pp_schedule *schedule, struct pp_op op)
{
    return schedule->copies == 1 ? 0 : schedule->copy_of[op.microbatch];
}

static int rank_of(const struct naive *naive, size_t k)
{
    const struct pp_schedule *schedule = naive->schedule;
    struct pp_op op = schedule->ops[k];
    return schedule->rank_of[copy_of(schedule, op) * schedule->stages + (int)op.stage];
}

/* The link of a message between two ranks; NULL where they are one. */
static const struct pp_hop *hop_of(const struct naive *naive, int from, int to)
{
    int node = naive->costs->ranks_per_node;
    if (from == to)
        return NULL;
    bool near = node == 0 || from / node == to / node;
    return near ? &naive->costs->near : &naive->costs->far;
}

static double slowness(const struct naive *naive, int rank)
{
    return naive->costs->slow ? naive->costs->slow[rank] : 1;
}

/* The costs of a schedule that decodes stand class by class. */
static int64_t cost_of(const struct naive *naive, struct pp_op op)
{
    const int *class_of = naive->schedule->class_of;
    int row = naive->costs->classes > 1 ? class_of[op.microbatch] : 0;
    return naive->costs->op[row * naive->costs->stages + (int)op.stage][op.kind];
}

/* The bytes of a message to a microbatch: by its rows where the schedule decodes. */
static double bytes_of(const struct naive *naive, unsigned microbatch, bool tokens)
{
    const struct pp_schedule *schedule = naive->schedule;
    if (!schedule->class_of)
        return naive->costs->message_bytes;
    double rows = schedule->classes[schedule->class_of[microbatch]].rows;
    return rows * (tokens ? 4 : naive->costs->message_bytes);
}

/* The microbatch that begins with this one's tokens; -1: none. */
static int fed_by(const struct pp_schedule *schedule, unsigned microbatch)
{
    for (int i = 0; schedule->after && i < schedule->microbatches; i++) {
        if (schedule->after[i] == (int)microbatch)
            return i;
    }
    return -1;
}

/* What the op, or the pair that it begins, takes. */
static int64_t length(const struct naive *naive, size_t k, int count, int rank)
{
    double factor = slowness(naive, rank);
    int64_t sum = 0;
    if (count == 2 && naive->costs->joined)
        return llround((double)naive->costs->joined[naive->schedule->ops[k].stage] *
                       factor);
    for (int j = 0; j < count; j++) {
        struct pp_op op = naive->schedule->ops[k + (size_t)j];
        sum += llround((double)cost_of(naive, op) * factor);
    }
    if (count == 2)
        return llround((double)sum * naive->costs->joined_factor);
    return sum;
}

/* Hands the k-th op's output on, which is there from end on, when the rank comes to do
 * it; returns how long that keeps the rank. */
static int64_t hand_on(struct naive *naive, size_t k, int64_t end, int64_t now)
{
    const struct pp_schedule *schedule = naive->schedule;
    struct pp_op op = schedule->ops[k];
    bool forward = op.kind == PP_F;
    int next = (int)op.stage + (forward ? 1 : -1);
    unsigned microbatch = op.microbatch;
    bool tokens =
        forward && next == schedule->stages && fed_by(schedule, microbatch) >= 0;
    if (tokens) {
        next = 0;
        microbatch = (unsigned)fed_by(schedule, microbatch);
    }
    if (op.kind == PP_W || next < 0 || next >= schedule->stages)
        return 0;
    naive->produced[k] = naive->arrived[k] = end;
    int to = schedule->rank_of[copy_of(schedule, op) * schedule->stages + next];
    const struct pp_hop *hop = hop_of(naive, rank_of(naive, k), to);
    if (!hop)
        return 0;
    int64_t wire = llround(1e9 * bytes_of(naive, microbatch, tokens) / hop->bandwidth);
    int64_t leaves = now + hop->sender;
    if (hop->serialise) {
        if (naive->busy_until[to] > leaves)
            leaves = naive->busy_until[to];
        naive->busy_until[to] = leaves + wire;
    }
    naive->arrived[k] = leaves + wire + hop->latency;
    return hop->sender;
}

/* One rank's ops in order, on what has arrived as far as is known. */
static void go_over(struct naive *naive, int rank)
{
    const struct pp_schedule *schedule = naive->schedule;
    int64_t now = 0;
    memset(naive->busy_until, 0, (size_t)schedule->ranks * sizeof *naive->busy_until);
    for (size_t k = schedule->first[rank]; k < schedule->first[rank + 1];) {
        int count = schedule->ops[k].joined ? 2 : 1;
        int64_t taking = 0;
        for (size_t j = k; j < k + (size_t)count; j++) {
            long input = needed(schedule, j);
            naive->spans[j].ready = naive->spans[j].arrived = 0;
            if (input < 0)
                continue;
            const struct pp_hop *hop =
                hop_of(naive, rank_of(naive, (size_t)input), rank);
            taking += hop ? hop->receiver : 0;
            naive->spans[j].ready = naive->produced[input];
            naive->spans[j].arrived = naive->arrived[input];
            if (now < naive->arrived[input])
                now = naive->arrived[input];
        }
        struct pp_span *first = &naive->spans[k], *last = first + count - 1;
        first->start = now + taking;
        last->end = first->start + length(naive, k, count, rank);
        now = last->end;
        for (size_t j = k; j < k + (size_t)count; j++)
            now += hand_on(naive, j, last->end, now);
        k += (size_t)count;
    }
}

static void simulate(struct naive *naive)
{
    size_t bytes = pp_schedule_ops(naive->schedule) * sizeof(struct pp_span);
    struct pp_span *before = malloc(bytes);
    do {
        memcpy(before, naive->spans, bytes);
        for (int r = 0; r < naive->schedule->ranks; r++)
            go_over(naive, r);
    } while (memcmp(before, naive->spans, bytes) != 0);
    free(before);
}

static void compare(const struct replay *replay, int trial)
{
    const struct pp_schedule *schedule = &replay->schedule;
    size_t ops = pp_schedule_ops(schedule);
    struct naive naive = {
        .schedule = schedule,
        .costs = &replay->costs,
        .produced = calloc(ops, sizeof *naive.produced),
        .arrived = calloc(ops, sizeof *naive.arrived),
        .spans = calloc(ops, sizeof *naive.spans),
        .busy_until = calloc((size_t)schedule->ranks, sizeof *naive.busy_until),
    };
    simulate(&naive);
    for (size_t k = 0; k < ops; k++) {
        const struct pp_span *is = &replay->timeline.spans[k], *want = &naive.spans[k];
        bool second = k > 0 && schedule->ops[k - 1].joined;
        ck_assert_msg(
            (second || is->start == want->start) &&
                (schedule->ops[k].joined || is->end == want->end) &&
                is->ready == want->ready && is->arrived == want->arrived,
            "trial %d, %s, op %zu: %ld to %ld, input %ld to %ld; naive %ld to "
            "%ld, input %ld to %ld",
            trial, schedule->name, k, (long)is->start, (long)is->end, (long)is->ready,
            (long)is->arrived, (long)want->start, (long)want->end, (long)want->ready,
            (long)want->arrived);
    }
    free(naive.produced);
    free(naive.arrived);
    free(naive.spans);
    free(naive.busy_until);
}

/* A number from 0 to most, another at each call. */
static int any(int trial, int *draw, int most)
{
    uint64_t bits = pp_random(7, (uint64_t)trial, (uint64_t)++ * draw);
    return (int)(bits % (uint64_t)(most + 1));
}

static struct pp_hop any_hop(int trial, int *draw)
{
    return (struct pp_hop){
        .latency = any(trial, draw, 1) * any(trial, draw, 30),
        .bandwidth = any(trial, draw, 1) ? 1e9 : INFINITY,
        .sender = any(trial, draw, 1) * any(trial, draw, 5),
        .receiver = any(trial, draw, 1) * any(trial, draw, 5),
        .serialise = any(trial, draw, 1),
    };
}

START_TEST(simulations_agree)
{
    enum { TRIALS = 1500 };
    int pairs = 0, fed = 0, ran = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        int draw = 0;
        const struct pp_scheduler *row =
            pp_catalogue_row(any(trial, &draw, pp_catalogue_count() - 1));
        struct pp_shape shape = {.ranks = 1 + any(trial, &draw, 4),
                                 .chunks = row->default_chunks,
                                 .microbatches = 1 + any(trial, &draw, 11)};
        if (pp_row_decodes(row)) {
            shape.groups = any(trial, &draw, 6);
            shape.prompt_chunks = any(trial, &draw, 3);
            shape.rows = 1 + any(trial, &draw, 2);
            shape.prompt_rows = 1 + any(trial, &draw, 5);
        }
        struct replay replay;
        if (!replay_init(&replay, row, &shape))
            continue;
        struct pp_costs *costs = &replay.costs;
        struct pp_error unfit = {0};
        if (any(trial, &draw, 1))
            ck_assert_int_eq(pp_costs_classify(costs, &replay.schedule, &unfit), 0);
        for (int s = 0; s < costs->classes * costs->stages; s++) {
            for (int kind = 0; kind < PP_KINDS; kind++)
                costs->op[s][kind] = any(trial, &draw, 20);
        }
        costs->near = any_hop(trial, &draw);
        costs->far = any_hop(trial, &draw);
        costs->ranks_per_node = any(trial, &draw, 2);
        costs->message_bytes = any(trial, &draw, 25);
        if (any(trial, &draw, 1)) {
            struct pp_error error = {0};
            ck_assert_int_eq(pp_costs_join(costs, 0, &error), 0);
            for (int s = 0; s < costs->stages; s++)
                costs->joined[s] = any(trial, &draw, 40);
        }
        costs->joined_factor = 0.5 + 0.25 * any(trial, &draw, 4);
        if (any(trial, &draw, 1)) {
            costs->slow = malloc((size_t)shape.ranks * sizeof *costs->slow);
            for (int r = 0; r < shape.ranks; r++)
                costs->slow[r] = 1 + 0.25 * any(trial, &draw, 4);
        }
        replay_run(&replay);
        compare(&replay, trial);
        pairs += pp_schedule_joins(&replay.schedule);
        for (int i = 0; replay.schedule.after && i < replay.schedule.microbatches; i++)
            fed += replay.schedule.after[i] >= 0;
        ran++;
        replay_release(&replay);
    }
    ck_assert_int_gt(ran, TRIALS / 2);
    ck_assert_int_gt(pairs, TRIALS / 50);
    ck_assert_int_gt(fed, TRIALS / 10);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("naive");
    TCase *tcase = tcase_create("naive");
    tcase_add_test(tcase, simulations_agree);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
