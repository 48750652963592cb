/* What messages took, and what a rank had of its core, from timelines made by hand. */
#include <math.h>
#include <stdlib.h>

#include "schedules/catalogue.h"
#include "timeline/core_share.h"
#include "timeline/hop.h"
#include "timeline/producers.h"
#include "unit.h"

enum { MOST_STEPS = 3 };

static struct pp_schedule schedule;
static struct pp_timeline timelines[MOST_STEPS];

/* Steps of 1f1b on two ranks with two microbatches. */
static void set_up(void)
{
    struct pp_error error = {0};
    struct pp_shape shape = {.ranks = 2, .chunks = 1, .microbatches = 2};
    ck_assert_int_eq(
        pp_schedule_build(&schedule, pp_catalogue_find("1f1b"), &shape, &error), 0);
    for (int t = 0; t < MOST_STEPS; t++) {
        ck_assert_int_eq(pp_timeline_init(&timelines[t], &schedule, &error), 0);
        ck_assert_int_eq(pp_timeline_add_cpu(&timelines[t], &error), 0);
    }
}

static void tear_down(void)
{
    for (int t = 0; t < MOST_STEPS; t++)
        pp_timeline_release(&timelines[t]);
    pp_schedule_release(&schedule);
}

/* In ns. Rank 1 runs F0 B0 F1 B1 from 100 on without a break. Rank 0 runs F0 F1 by 20,
 * and then waits for both B's: for messages that take so long. had is its share of its
 * core while it waits and while it computes. */
static void fill(struct pp_timeline *timeline, int64_t hop, double had)
{
    struct pp_span *spans = timeline->spans;
    const int64_t ends_of_1[] = {110, 130, 140, 160};
    struct pp_producers producers;
    struct pp_error error = {0};
    spans[0] = (struct pp_span){.start = 0, .end = 10};
    spans[1] = (struct pp_span){.start = 10, .end = 20, .arrived = 10};
    for (int i = 0; i < 2; i++) {
        int64_t arrived = (i == 0 ? 130 : 160) + hop;
        spans[2 + i] = (struct pp_span){
            .start = arrived + 1, .end = arrived + 11, .arrived = arrived};
    }
    for (int i = 0; i < 4; i++) {
        int64_t start = i == 0 ? 100 : ends_of_1[i - 1];
        spans[4 + i] = (struct pp_span){
            .start = start, .end = ends_of_1[i], .arrived = i == 0 ? 100 : 90};
    }
    for (size_t k = 0; k < 8; k++) {
        double share = k < 4 ? had : 1;
        int64_t gap = k % 4 > 0 ? spans[k].start - spans[k - 1].end : 0;
        timeline->cpu[k].op = llround(share * (double)(spans[k].end - spans[k].start));
        timeline->cpu[k].wait = llround(share * (double)gap);
    }
    ck_assert_int_eq(pp_producers_init(&producers, &schedule, &error), 0);
    pp_producers_set_ready(&producers, spans);
    pp_producers_release(&producers);
}

static double median_hop(int count)
{
    struct pp_error error = {0};
    double ns;
    ck_assert_int_eq(pp_median_hop(timelines, count, &ns, &error), 0);
    return ns;
}

START_TEST(hops_into_a_waiting_rank_count)
{
    fill(&timelines[0], 5, 1);
    ck_assert_double_eq(median_hop(1), 5);
    /* Two of each step: 5 5 7 7 9 9. */
    fill(&timelines[1], 9, 1);
    fill(&timelines[2], 7, 0.95);
    ck_assert_double_eq(median_hop(3), 7);
    /* A rank that was off its core found its messages late. */
    fill(&timelines[1], 9, 0.5);
    fill(&timelines[2], 7, 0.5);
    ck_assert_double_eq(median_hop(3), 5);
    fill(&timelines[0], 5, 0.85);
    ck_assert(isnan(median_hop(3)));
    fill(&timelines[0], 5, 1);
    free(timelines[0].cpu);
    timelines[0].cpu = NULL;
    ck_assert(isnan(median_hop(1)));
    ck_assert(isnan(pp_core_share(timelines, 1, 0)));
}
END_TEST

START_TEST(the_share_is_of_all_ops)
{
    fill(&timelines[0], 5, 1);
    fill(&timelines[1], 5, 0.5);
    ck_assert_double_eq(pp_core_share(timelines, 1, 0), 1);
    ck_assert_double_eq(pp_core_share(timelines, 2, 0), 0.75);
    ck_assert_double_eq(pp_core_share(timelines, 2, 1), 1);
    timelines[0].cpu[0].op *= 100; /* clocks may differ a little */
    ck_assert_double_eq(pp_core_share(timelines, 1, 0), 1);
}
END_TEST

START_TEST(a_hop_is_fitted)
{
    static const struct {
        double ns, bytes, latency, bandwidth; /* as measured at the start */
        double fitted_latency, fitted_bandwidth;
    } cases[] = {
        {40000, 100000, 1e-6, 1e10, 30e-6, 1e10},
        {40000, 100000, 90e-6, 1e10, 30e-6, 1e10},
        {40000, 100000, 1e-6, INFINITY, 40e-6, INFINITY},
        {5000, 100000, 1e-6, 1e10, 0, 2e10}, /* the bytes alone took 10 us */
    };
    double latency = cases[_i].latency, bandwidth = cases[_i].bandwidth;
    pp_fit_hop(cases[_i].ns, cases[_i].bytes, &latency, &bandwidth);
    ck_assert_double_eq_tol(latency, cases[_i].fitted_latency, 1e-15);
    ck_assert(bandwidth >= cases[_i].fitted_bandwidth * (1 - 1e-12) &&
              bandwidth <= cases[_i].fitted_bandwidth * (1 + 1e-12));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hop");
    TCase *tests = tcase_create("hop");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, hops_into_a_waiting_rank_count);
    tcase_add_test(tests, the_share_is_of_all_ops);
    tcase_add_loop_test(tests, a_hop_is_fitted, 0, 4);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
