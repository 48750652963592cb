/* The critical path and the longest gaps of a step that can be counted by hand. */
#include "test_report_fixture.h"
#include "timeline/gap.h"
#include "unit.h"

START_TEST(the_slow_stage_is_most_of_the_path)
{
    const struct fixture slow = {"1f1b", 4, 1, 16, 1, 0, 0, 2};
    struct pp_report report;
    struct pp_error error = {0};
    struct pp_producers producers;
    struct pp_critical critical;
    struct pp_gap gaps[2];
    struct pp_part parts[PP_REASON_PARTS];
    struct pp_path path = {&report.timeline, &report.metrics, &producers};
    struct pp_reasons reasons;
    fixture_report(&report, &slow);
    ck_assert_int_eq(pp_producers_init(&producers, &report.schedule, &error), 0);
    ck_assert_int_eq(pp_critical_init(&critical, &report.timeline, &report.metrics,
                                      &producers, &error),
                     0);
    ck_assert_int_eq(pp_reasons_init(&reasons, &path, &error), 0);
    /* 16 times 4 ms, on a path of 3 forwards down, 16 * 6 ms, 3 backwards up. */
    ck_assert_int_eq(critical.of_stage[3][PP_B], 64000000);
    ck_assert_int_eq(report.metrics.makespan, 3000000 + 96000000 + 6000000);
    /* Rank 3 waits once, for the first microbatch to come down. */
    ck_assert_int_eq(pp_longest_gaps(&path, 3, 2, gaps), 1);
    ck_assert_int_eq(gaps[0].from, 0);
    ck_assert_int_eq(gaps[0].wait.dependency, 3000000);
    /* A rank ran 1 ms of it each: the later two are more than half. */
    ck_assert_int_eq(pp_gap_reason(&reasons, &gaps[0], parts), 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(parts[i].kind, PP_RAN);
        ck_assert_int_eq(parts[i].ns, 1000000);
        ck_assert_int_eq(parts[i].rank, 2 - i);
    }
    /* Rank 0's longest gap: 4 forwards, then until 0B0: 1 + 1 + 1 + 2 + 4 + 2 + 2. */
    ck_assert_int_eq(pp_longest_gaps(&path, 0, 2, gaps), 2);
    ck_assert_int_eq(gaps[0].from, 4000000);
    ck_assert_int_eq(gaps[0].wait.dependency, 9000000);
    /* Rank 3 alone is more than half: the second half of 3F0, and 3B0. */
    ck_assert_int_eq(pp_gap_reason(&reasons, &gaps[0], parts), 1);
    ck_assert_int_eq(parts[0].kind, PP_RAN);
    ck_assert_int_eq(parts[0].rank, 3);
    ck_assert_int_eq(parts[0].count, 2);
    ck_assert_int_eq(parts[0].ns, 5000000);
    pp_reasons_release(&reasons);
    pp_critical_release(&critical);
    pp_producers_release(&producers);
    pp_report_release(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("critical");
    TCase *tests = tcase_create("critical");
    tcase_add_test(tests, the_slow_stage_is_most_of_the_path);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
