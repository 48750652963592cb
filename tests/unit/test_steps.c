#include "timeline/steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "timeline/op_costs.h"
#include "timeline/quantile.h"
#include "unit.h"

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Against sorting, with many equal values among few different ones and none among
 * many. */
START_TEST(quantile_is_that_of_sorted_values)
{
    enum { MOST = 60 };
    static const double quantiles[] = {0, 0.05, 0.25, 0.5, 0.77, 0.95, 1};
    double values[MOST], sorted[MOST];
    for (int trial = 0; trial < 3000; trial++) {
        size_t count = 1 + pp_below(pp_random(1, 0, (uint64_t)trial), MOST);
        uint64_t different = 1 + pp_below(pp_random(1, 1, (uint64_t)trial), 100);
        for (size_t i = 0; i < count; i++)
            sorted[i] = values[i] =
                (double)pp_below(pp_random(2, (uint64_t)trial, i), different);
        qsort(sorted, count, sizeof *sorted, compare);
        for (size_t q = 0; q < sizeof quantiles / sizeof *quantiles; q++) {
            double place = quantiles[q] * (double)(count - 1);
            size_t k = (size_t)place;
            double next = sorted[k + 1 < count ? k + 1 : k];
            double expected = sorted[k] + (place - (double)k) * (next - sorted[k]);
            ck_assert_double_eq(pp_quantile(values, count, quantiles[q]), expected);
        }
        qsort(values, count, sizeof *values, compare);
        ck_assert(memcmp(values, sorted, count * sizeof *values) == 0);
    }
}
END_TEST

START_TEST(quantile_of_sorted_and_equal_values_is_fast)
{
    enum { COUNT = 1 << 20 };
    double *values = malloc(COUNT * sizeof *values);
    for (int i = 0; i < COUNT; i++)
        values[i] = i;
    ck_assert_double_eq(pp_quantile(values, COUNT, 0.5), (COUNT - 1) / 2.0);
    for (int i = 0; i < COUNT; i++)
        values[i] = 7;
    ck_assert_double_eq(pp_quantile(values, COUNT, 0.5), 7);
    free(values);
}
END_TEST

START_TEST(representative_is_the_lower_median)
{
    enum { MOST = 40 };
    for (uint64_t trial = 0; trial < 500; trial++) {
        struct pp_step steps[MOST];
        double sorted[MOST];
        int count = 1 + (int)pp_below(pp_random(3, 0, trial), MOST);
        for (int i = 0; i < count; i++) {
            steps[i] = (struct pp_step){
                .bubble = (double)pp_below(pp_random(3, trial, (uint64_t)i), 20)};
            sorted[i] = steps[i].bubble;
        }
        qsort(sorted, (size_t)count, sizeof *sorted, compare);
        int found = pp_representative(steps, count);
        ck_assert_double_eq(steps[found].bubble, sorted[(count - 1) / 2]);
    }
}
END_TEST

START_TEST(a_bubble_that_is_no_number_comes_last)
{
    const struct pp_step steps[] = {{.bubble = NAN},
                                    {.bubble = 0.5},
                                    {.bubble = NAN},
                                    {.bubble = 0.25},
                                    {.bubble = 0.75}};
    ck_assert_int_eq(pp_representative(steps, 5), 4);
    ck_assert_int_eq(pp_representative(steps, 1), 0);
}
END_TEST

START_TEST(makespans_have_median_and_range)
{
    const struct pp_step steps[] = {{.makespan = 40, .duration = 1},
                                    {.makespan = 10, .duration = 3},
                                    {.makespan = 30, .duration = 2},
                                    {.makespan = 20, .duration = 5}};
    struct pp_makespans spans = pp_makespans(steps, 4);
    ck_assert_int_eq(spans.median, 20);
    ck_assert_int_eq(spans.min, 10);
    ck_assert_int_eq(spans.max, 40);
}
END_TEST

/* Two ranks, three microbatches, two steps: F takes 10 everywhere, B of stage 1 varies.
 */
START_TEST(costs_are_per_stage_and_kind)
{
    struct pp_error error = {0};
    struct pp_schedule schedule;
    struct pp_timeline timelines[2];
    struct pp_cost *costs;
    int count;
    ck_assert_int_eq(pp_schedule_init(&schedule, 2, 2, 3, PP_LOOP, &error), 0);
    for (int r = 0; r < 2; r++) {
        pp_schedule_begin_rank(&schedule, r);
        for (int i = 0; i < 3; i++)
            pp_push(&schedule, PP_F, r, i);
        for (int i = 0; i < 3; i++)
            pp_push(&schedule, PP_B, r, i);
    }
    ck_assert_int_eq(pp_schedule_end(&schedule, &error), 0);
    for (int t = 0; t < 2; t++) {
        ck_assert_int_eq(pp_timeline_init(&timelines[t], &schedule, &error), 0);
        for (int k = 0; k < 12; k++) {
            bool varies = k >= 9;
            timelines[t].spans[k].start = 100 * k;
            timelines[t].spans[k].end = 100 * k + (varies ? 20 + 3 * t + (k - 9) : 10);
        }
    }
    ck_assert_int_eq(pp_costs_collect(timelines, 2, &costs, &count, &error), 0);
    ck_assert_int_eq(count, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(costs[i].stage, i / 2);
        ck_assert_int_eq(costs[i].kind, i % 2 ? PP_B : PP_F);
        ck_assert_int_eq(costs[i].count, 6);
        ck_assert_int_eq(costs[i].median, i < 3 ? 10 : 23); /* of 20 .. 25: 22.5 */
        ck_assert_int_eq(costs[i].p5, i < 3 ? 10 : 20);
        ck_assert_int_eq(costs[i].p95, i < 3 ? 10 : 25);
    }
    free(costs);
    pp_timeline_release(&timelines[0]);
    pp_timeline_release(&timelines[1]);
    pp_schedule_release(&schedule);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steps");
    TCase *tests = tcase_create("steps");
    tcase_add_test(tests, quantile_is_that_of_sorted_values);
    tcase_add_test(tests, quantile_of_sorted_and_equal_values_is_fast);
    tcase_add_test(tests, representative_is_the_lower_median);
    tcase_add_test(tests, a_bubble_that_is_no_number_comes_last);
    tcase_add_test(tests, makespans_have_median_and_range);
    tcase_add_test(tests, costs_are_per_stage_and_kind);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
