/* The sentences on why measured, predicted and theory differ. */
#include <string.h>

#include "report/differences.h"
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

int main(void)
{
    Suite *suite = suite_create("differences");
    TCase *tests = tcase_create("differences");
    tcase_add_test(tests, why_not_theory);
    tcase_add_test(tests, why_not_predicted);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
