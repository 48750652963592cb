/* The cost model on schedules small enough to count by hand. */
#include "replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/cost_text.h"
#include "unit.h"

/* Two ranks, one microbatch: F0 F1 B1 B0, with a hop each way. */
static void two_ranks(struct replay *replay, const char *row, int microbatches)
{
    struct pp_shape shape = {.ranks = 2, .chunks = 1, .microbatches = microbatches};
    ck_assert(replay_init(replay, pp_catalogue_find(row), &shape));
    pp_costs_fill(&replay->costs, 10, 10, 10);
}

static const struct pp_span *span(const struct replay *replay, int rank, int op)
{
    return &replay->timeline.spans[replay->schedule.first[rank] + (size_t)op];
}

START_TEST(a_hop_costs_latency_and_bytes)
{
    struct replay replay;
    two_ranks(&replay, "1f1b", 1);
    replay.costs.near.latency = 3;
    replay.costs.near.bandwidth = 1e9;
    replay.costs.message_bytes = 4;
    replay_run(&replay);
    /* 10 + 7, 10 + 20 + 7, 20 */
    ck_assert_int_eq(replay.metrics.makespan, 74);
    ck_assert_int_eq(span(&replay, 1, 0)->ready, 10);
    ck_assert_int_eq(span(&replay, 1, 0)->arrived, 17);
    ck_assert_int_eq(span(&replay, 1, 0)->start, 17);
    ck_assert_int_eq(replay.metrics.of_rank[0].causes.communication, 7);
    ck_assert_int_eq(replay.metrics.of_rank[0].causes.dependency, 37);
    replay_release(&replay);
}
END_TEST

START_TEST(overheads_keep_ranks_busy)
{
    struct replay replay;
    two_ranks(&replay, "gpipe", 2);
    replay.costs.near.sender = 1;
    replay.costs.near.receiver = 2;
    replay_run(&replay);
    ck_assert_int_eq(span(&replay, 0, 1)->start, 11); /* after sending F0 */
    ck_assert_int_eq(span(&replay, 1, 0)->arrived, 11);
    ck_assert_int_eq(span(&replay, 1, 0)->start, 13);
    ck_assert_int_eq(span(&replay, 1, 1)->start, 25); /* free at 23, and takes in F1 */
    ck_assert_int_eq(replay.metrics.of_rank[0].causes.overhead, 1 + 2 + 2);
    replay_release(&replay);
}
END_TEST

START_TEST(a_serial_link_queues)
{
    struct replay replay;
    two_ranks(&replay, "gpipe", 3);
    replay.costs.near.bandwidth = 1e9;
    replay.costs.near.latency = 5;
    replay.costs.message_bytes = 30;
    replay_run(&replay);
    ck_assert_int_eq(span(&replay, 1, 2)->arrived, 30 + 35);
    replay.costs.near.serialise = true;
    replay_run(&replay);
    /* The messages leave at 10, 40 and 70. */
    ck_assert_int_eq(span(&replay, 1, 0)->arrived, 45);
    ck_assert_int_eq(span(&replay, 1, 1)->arrived, 75);
    ck_assert_int_eq(span(&replay, 1, 2)->arrived, 105);
    ck_assert_int_eq(span(&replay, 1, 2)->ready, 30);
    /* Sending takes its time first: the first leaves at 13, the others find the link
     * taken. */
    replay.costs.near.sender = 3;
    replay_run(&replay);
    ck_assert_int_eq(span(&replay, 1, 0)->arrived, 48);
    ck_assert_int_eq(span(&replay, 1, 2)->arrived, 108);
    replay_release(&replay);
}
END_TEST

START_TEST(two_levels)
{
    struct pp_shape shape = {.ranks = 4, .chunks = 1, .microbatches = 1};
    struct replay replay;
    ck_assert(replay_init(&replay, pp_catalogue_find("1f1b"), &shape));
    pp_costs_fill(&replay.costs, 10, 0, 0);
    replay.costs.near.latency = 1;
    replay.costs.far.latency = 100;
    replay.costs.ranks_per_node = 2;
    replay_run(&replay);
    ck_assert_int_eq(replay.metrics.makespan, 40 + 2 * (1 + 100 + 1));
    replay_release(&replay);
}
END_TEST

START_TEST(slow_ranks)
{
    struct pp_error error = {0};
    struct replay replay;
    two_ranks(&replay, "1f1b", 1);
    ck_assert_int_eq(pp_slow_text("1:1.5", 2, &replay.costs.slow, &error), 0);
    replay_run(&replay);
    ck_assert_int_eq(replay.metrics.makespan, 30 + 45);
    replay_release(&replay);
}
END_TEST

/* No hop between stages of one rank. */
START_TEST(the_turn_of_a_v_is_free)
{
    struct pp_shape shape = {.ranks = 1, .chunks = 2, .microbatches = 1};
    struct replay replay;
    ck_assert(replay_init(&replay, pp_catalogue_find("zb-v"), &shape));
    pp_costs_fill(&replay.costs, 10, 10, 10);
    replay.costs.near.latency = 1000;
    replay_run(&replay);
    ck_assert_int_eq(replay.metrics.makespan, 60);
    replay_release(&replay);
}
END_TEST

static void join(struct replay *replay, int64_t joined)
{
    struct pp_error error = {0};
    ck_assert_int_eq(pp_costs_join(&replay->costs, joined, &error), 0);
}

/* Two mirrored copies: what each rank's last weight ops make is summed beside the ops,
 * one stage after the other, on both of its holders at once. */
START_TEST(reductions_run_beside_the_ops)
{
    struct pp_shape shape = {.ranks = 2, .chunks = 1, .microbatches = 2};
    struct replay replay;
    ck_assert(replay_init(&replay, pp_catalogue_find("chimera"), &shape));
    pp_costs_fill(&replay.costs, 1, 1, 1);
    replay.costs.reduce = calloc(2, sizeof *replay.costs.reduce);
    ck_assert_ptr_nonnull(replay.costs.reduce);
    replay.costs.reduce[0] = 5;
    replay.costs.reduce[1] = 3;
    replay_run(&replay);
    /*  0  F0 f1 b1 =  B0 =      stage 0 of copy 0, stage 1 of copy 1
     *  1  f1 F0 B0 =  b1 =      stage 1 of copy 0, stage 0 of copy 1 */
    const struct pp_span *spans = replay.timeline.reductions;
    ck_assert_int_eq(replay.metrics.makespan, 6);
    for (int copy = 0; copy < 2; copy++) {
        const struct pp_span *first = &spans[2 * copy], *last = first + 1;
        ck_assert_int_eq(last->ready, 4);
        ck_assert_int_eq(last->start, 4);
        ck_assert_int_eq(last->end, 7);
        ck_assert_int_eq(first->ready, 6);
        ck_assert_int_eq(first->start, 7); /* the lane is taken until then */
        ck_assert_int_eq(first->end, 12);
    }
    ck_assert_int_eq(replay.metrics.duration, 12);
    for (int r = 0; r < 2; r++) {
        ck_assert_int_eq(replay.metrics.of_rank[r].busy, 6);
        ck_assert_int_eq(replay.metrics.of_rank[r].reduction, 8);
        ck_assert_int_eq(replay.metrics.of_rank[r].reduction_exposed, 6);
    }
    /* Waiting for the other copy is no reduction. */
    replay.costs.reduce[0] = replay.costs.reduce[1] = 0;
    replay.costs.slow = malloc(2 * sizeof *replay.costs.slow);
    ck_assert_ptr_nonnull(replay.costs.slow);
    replay.costs.slow[0] = 1;
    replay.costs.slow[1] = 3;
    replay_run(&replay);
    for (int r = 0; r < 2; r++)
        ck_assert_int_eq(replay.metrics.of_rank[r].reduction_exposed, 0);
    replay_release(&replay);
}
END_TEST

/* Both of a pair wait for both inputs, and both outputs leave when it ends. */
START_TEST(joined_pairs)
{
    struct pp_shape shape = {.ranks = 4, .chunks = 2, .microbatches = 10};
    struct replay replay;
    ck_assert(replay_init(&replay, pp_catalogue_find("dualpipev"), &shape));
    pp_costs_fill(&replay.costs, 10, 10, 10);
    replay_run(&replay);
    int64_t apart = replay.metrics.makespan;
    ck_assert_int_eq(replay_bubble(&replay, false), 2 * 3 * 10);
    join(&replay, 20);
    replay_run(&replay);
    ck_assert_int_lt(replay.metrics.makespan, apart);
    const struct pp_schedule *schedule = &replay.schedule;
    int pairs = 0;
    for (size_t k = 0; k + 1 < pp_schedule_ops(schedule); k++) {
        const struct pp_span *first = &replay.timeline.spans[k];
        if (!schedule->ops[k].joined)
            continue;
        pairs++;
        ck_assert_int_eq(first[1].start, first->end);
        ck_assert_int_eq(first[1].end - first->start, 20);
        for (size_t j = 0; j < pp_schedule_ops(schedule); j++) {
            /* Whoever needs the forward's output. */
            if (schedule->ops[k].kind == PP_F && schedule->ops[j].kind == PP_F &&
                schedule->ops[j].stage == schedule->ops[k].stage + 1 &&
                schedule->ops[j].microbatch == schedule->ops[k].microbatch)
                ck_assert_int_ge(replay.timeline.spans[j].start, first[1].end);
        }
    }
    ck_assert_int_gt(pairs, 20);
    replay_release(&replay);
}
END_TEST

/* Noise of mean 1, the same for the same step, another for another. */
START_TEST(jitter)
{
    struct pp_error error = {0};
    struct pp_shape shape = {.ranks = 4, .chunks = 1, .microbatches = 5000};
    struct replay replay;
    ck_assert(replay_init(&replay, pp_catalogue_find("gpipe"), &shape));
    pp_costs_fill(&replay.costs, 1000000, 1000000, 1000000);
    ck_assert_int_eq(pp_jitter_text("lognormal:0.25", &replay.costs, &error), 0);
    replay_run(&replay);
    int64_t busy = replay.metrics.busy, makespan = replay.metrics.makespan;
    double ops = (double)pp_schedule_ops(&replay.schedule), squares = 0;
    for (size_t k = 0; k < pp_schedule_ops(&replay.schedule); k++) {
        const struct pp_span *s = &replay.timeline.spans[k];
        double cost = replay.schedule.ops[k].kind == PP_F ? 1e6 : 2e6;
        double deviation = log((double)(s->end - s->start) / cost) + .25 * .25 / 2;
        squares += deviation * deviation;
    }
    /* The mean of 40000 factors is within four of its own deviations. */
    ck_assert_double_eq_tol((double)busy / (1.5e6 * ops), 1, 4 * .25 / sqrt(ops));
    ck_assert_double_eq_tol(sqrt(squares / ops), .25, .005);
    replay_run(&replay);
    ck_assert_int_eq(replay.metrics.makespan, makespan);
    ck_assert_int_eq(
        pp_simulate(&replay.schedule, &replay.costs, 1, &replay.timeline, &error), 0);
    pp_metrics_release(&replay.metrics);
    ck_assert_int_eq(pp_metrics_init(&replay.metrics, &replay.timeline, &error), 0);
    ck_assert_int_ne(replay.metrics.makespan, makespan);
    replay.costs.seed = 2;
    replay_run(&replay);
    ck_assert_int_ne(replay.metrics.makespan, makespan);
    replay_release(&replay);
}
END_TEST

/* A pair's own cost is disturbed too. */
START_TEST(jitter_of_pairs)
{
    struct pp_error error = {0};
    struct pp_shape shape = {.ranks = 2, .chunks = 2, .microbatches = 400};
    struct replay replay;
    ck_assert(replay_init(&replay, pp_catalogue_find("dualpipev"), &shape));
    pp_costs_fill(&replay.costs, 1000, 1000, 1000);
    join(&replay, 1000000);
    ck_assert_int_eq(pp_jitter_text("lognormal:0.25", &replay.costs, &error), 0);
    replay_run(&replay);
    double sum = 0, squares = 0, pairs = 0;
    for (size_t k = 0; k < pp_schedule_ops(&replay.schedule); k++) {
        const struct pp_span *s = &replay.timeline.spans[k];
        if (!replay.schedule.ops[k].joined)
            continue;
        double deviation = log((double)(s[1].end - s->start) / 1e6) + .25 * .25 / 2;
        sum += deviation;
        squares += deviation * deviation;
        pairs++;
    }
    ck_assert_double_gt(pairs, 700);
    ck_assert_double_eq_tol(sum / pairs, 0, 4 * .25 / sqrt(pairs));
    ck_assert_double_eq_tol(sqrt(squares / pairs), .25, .03);
    replay_release(&replay);
}
END_TEST

static void expect_too_long(const struct replay *replay)
{
    struct pp_error error = {0};
    struct pp_timeline timeline = replay->timeline;
    ck_assert_int_eq(
        pp_simulate(&replay->schedule, &replay->costs, 0, &timeline, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "too large to simulate", NULL);
}

START_TEST(hops_and_pairs_beyond_the_clock)
{
    struct pp_shape shape = {.ranks = 2, .chunks = 2, .microbatches = 4};
    double slow[] = {1e9, 1};
    struct replay replay;
    ck_assert(replay_init(&replay, pp_catalogue_find("dualpipev"), &shape));
    pp_costs_fill(&replay.costs, 1, 1, 1);
    replay.costs.near.latency = INT64_MAX / 16;
    expect_too_long(&replay);
    replay.costs.near.latency = 0;
    join(&replay, INT64_MAX / 8);
    expect_too_long(&replay);
    join(&replay, INT64_MAX / 1000000000);
    replay_run(&replay);
    replay.costs.slow = slow;
    expect_too_long(&replay);
    replay.costs.slow = NULL;
    replay_release(&replay);
}
END_TEST

START_TEST(costs_beyond_the_clock)
{
    struct pp_error error = {0};
    struct replay replay;
    two_ranks(&replay, "1f1b", 4);
    pp_costs_fill(&replay.costs, INT64_MAX / 8, 1, 1);
    ck_assert_int_eq(
        pp_simulate(&replay.schedule, &replay.costs, 0, &replay.timeline, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "too large to simulate", NULL);
    replay_release(&replay);
}
END_TEST

START_TEST(equal_costs)
{
    struct replay replay;
    struct pp_equal_costs equal;
    struct pp_shape shape = {.ranks = 2, .chunks = 2, .microbatches = 4};
    ck_assert(replay_init(&replay, pp_catalogue_find("bfs"), &shape));
    pp_costs_fill(&replay.costs, 10, 20, 30);
    replay.costs.near.latency = 7;
    ck_assert(pp_costs_equal(&replay.costs, &replay.schedule, &equal));
    ck_assert_double_eq(equal.forward, 20);
    ck_assert_double_eq(equal.backward, 100);
    ck_assert_double_eq(equal.input, 40);
    ck_assert_double_eq(equal.weight, 60);
    ck_assert_double_eq(equal.hop, 7);
    replay.costs.op[3][PP_F] = 50;
    ck_assert(!pp_costs_equal(&replay.costs, &replay.schedule, &equal));
    ck_assert_double_eq(equal.forward, 40);
    replay.costs.op[3][PP_F] = 10;
    struct pp_costs *costs = &replay.costs;
    double slow[] = {1, 2};
    const struct pp_hop hop = costs->near;
    costs->near.sender = 1;
    ck_assert(!pp_costs_equal(costs, &replay.schedule, &equal));
    costs->near = hop;
    costs->near.receiver = 1;
    ck_assert(!pp_costs_equal(costs, &replay.schedule, &equal));
    costs->near = hop;
    costs->near.serialise = true;
    ck_assert(!pp_costs_equal(costs, &replay.schedule, &equal));
    costs->near = hop;
    costs->slow = slow;
    ck_assert(!pp_costs_equal(costs, &replay.schedule, &equal));
    costs->slow = NULL;
    costs->jitter = 0.1;
    ck_assert(!pp_costs_equal(costs, &replay.schedule, &equal));
    costs->jitter = 0;
    join(&replay, 5); /* there is no pair that it could disturb */
    ck_assert(pp_costs_equal(costs, &replay.schedule, &equal));
    replay_release(&replay);
    shape.microbatches = 8;
    ck_assert(replay_init(&replay, pp_catalogue_find("dualpipev"), &shape));
    pp_costs_fill(&replay.costs, 10, 10, 10);
    ck_assert(pp_costs_equal(&replay.costs, &replay.schedule, &equal));
    join(&replay, 5);
    ck_assert(!pp_costs_equal(&replay.costs, &replay.schedule, &equal));
    replay_release(&replay);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("simulate");
    TCase *tcase = tcase_create("simulate");
    tcase_add_test(tcase, a_hop_costs_latency_and_bytes);
    tcase_add_test(tcase, overheads_keep_ranks_busy);
    tcase_add_test(tcase, a_serial_link_queues);
    tcase_add_test(tcase, two_levels);
    tcase_add_test(tcase, slow_ranks);
    tcase_add_test(tcase, the_turn_of_a_v_is_free);
    tcase_add_test(tcase, reductions_run_beside_the_ops);
    tcase_add_test(tcase, joined_pairs);
    tcase_add_test(tcase, jitter);
    tcase_add_test(tcase, jitter_of_pairs);
    tcase_add_test(tcase, hops_and_pairs_beyond_the_clock);
    tcase_add_test(tcase, costs_beyond_the_clock);
    tcase_add_test(tcase, equal_costs);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
