/* The sentences on why measured, predicted and theory differ. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/differences.h"
#include "report/print/explain.h"
#include "test_report_fixture.h"
#include "unit.h"

static void expect_not_theory(const struct fixture *fixture, double below,
                              const char *words)
{
    struct pp_report report;
    char text[320];
    fixture_report(&report, fixture);
    report.theory = report.metrics.bubble.fraction - below;
    pp_why_not_theory(&report, text, sizeof text);
    ck_assert_msg(words ? strstr(text, words) != NULL : text[0] == '\0', "%s", text);
    pp_report_release(&report);
}

START_TEST(why_not_theory)
{
    const struct fixture equal = {"1f1b", 4, 1, 8, 1, 0, 0, 1};
    const struct fixture slow = {"1f1b", 4, 1, 8, 1, 100000, 0, 1.5};
    const struct fixture far = {"1f1b", 4, 1, 8, 1, 500000, 0, 1};
    const struct fixture noisy = {"1f1b", 4, 1, 8, 1, 0, 0.3, 1};
    expect_not_theory(&equal, 0.004, NULL);
    expect_not_theory(&equal, 0.1, "theory assumes other costs");
    expect_not_theory(&slow, 0.1, "simulated is 0.1000 above theory");
    expect_not_theory(&slow, -0.1, "simulated is 0.1000 below theory");
    expect_not_theory(&slow, 0.1, "rank 3 takes 4.50 ms per microbatch, 33% above");
    expect_not_theory(&far, 0.1, "theory assumes free messages, but ranks waited");
    expect_not_theory(&noisy, 0.2, "op times vary");
}
END_TEST

static void expect_not_predicted(struct pp_report *report, double below,
                                 double overhead, const char *words)
{
    const struct pp_metrics *metrics = &report->metrics;
    double total = (double)metrics->ranks * (double)metrics->makespan;
    char text[320];
    report->predicted = metrics->bubble.fraction - below;
    report->metrics.causes.overhead = (int64_t)(overhead * total);
    pp_why_not_predicted(report, text, sizeof text);
    ck_assert_msg(words ? strstr(text, words) != NULL : text[0] == '\0', "%s", text);
}

START_TEST(why_not_predicted)
{
    const struct fixture fixture = {"1f1b", 4, 1, 8, 1, 0, 0.1, 1};
    struct pp_report report;
    fixture_report(&report, &fixture);
    expect_not_predicted(&report, 0.004, 0.004, NULL);
    expect_not_predicted(&report, 0.02, 0.015,
                         "measured is 0.0200 above predicted: ops start late");
    expect_not_predicted(&report, 0.02, 0.005,
                         "measured is 0.0200 above predicted: noise");
    expect_not_predicted(&report, -0.02, 0,
                         "measured is 0.0200 below predicted: noise");
    pp_report_release(&report);
}
END_TEST

static void expect_explained(const struct pp_report *report, const char *words,
                             bool said)
{
    struct pp_error error = {0};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_int_eq(pp_report_print_explain(report, NULL, stream, &error), 0);
    fclose(stream);
    ck_assert_msg((strstr(text, words) != NULL) == said, "%s", text);
    free(text);
}

/* A stranger takes half of rank 0's core: the costs are what the ops need, and no split
 * of the stages is blamed. */
START_TEST(a_stranger_on_a_core)
{
    const struct fixture half = {"1f1b", 4, 1, 8, 2, 0, 0, 1, 0.5};
    const struct fixture most = {"1f1b", 4, 1, 8, 2, 0, 0, 1, 0.95};
    const struct fixture not_counted = {"1f1b", 4, 1, 8, 2, 0, 0, 1, 0};
    struct pp_report report;
    char text[PP_SHARE_TEXT];
    fixture_report(&report, &half);
    ck_assert_double_eq(report.ranks[0].core_share, 0.5);
    ck_assert_double_eq(report.ranks[1].core_share, 1);
    ck_assert_int_eq(report.costs[0].median, 500000);
    ck_assert_int_eq(report.costs[2].median, 1000000);
    ck_assert_int_eq(pp_least_core_share(&report).rank, 0);
    ck_assert(pp_report_shared_core(&report));
    report.predicted_makespan_s = (double)report.metrics.makespan / 1e9;
    expect_not_predicted(&report, 0.02, 0.015,
                         "measured is 0.0200 above predicted: rank 0 had 50% of its");
    expect_not_predicted(&report, -0.02, 0, "below predicted: noise");
    expect_not_predicted(&report, 0, 0, NULL);
    report.predicted_makespan_s /= 1.25;
    expect_not_predicted(&report, 0, 0, "the makespan is 25% above predicted: rank 0");
    expect_explained(&report, "rank 0 had 50% of its core", true);
    pp_report_release(&report);

    fixture_report(&report, &most);
    ck_assert_str_eq(pp_core_share_text(&report, text), "");
    expect_not_predicted(&report, 0.02, 0, "noise");
    expect_explained(&report, "of its core", false);
    pp_report_release(&report);

    fixture_report(&report, &not_counted);
    ck_assert(isnan(report.ranks[0].core_share));
    ck_assert(isnan(pp_least_core_share(&report).share));
    ck_assert(!pp_report_shared_core(&report));
    ck_assert_int_eq(report.costs[0].median, 1000000);
    pp_report_release(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("differences");
    TCase *tests = tcase_create("differences");
    tcase_add_test(tests, why_not_theory);
    tcase_add_test(tests, why_not_predicted);
    tcase_add_test(tests, a_stranger_on_a_core);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
