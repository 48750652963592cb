/* What holds for whatever a report is written as. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/draw/plot.h"
#include "report/export/export.h"
#include "report/export/json.h"
#include "report/print/explain.h"
#include "test_report_fixture.h"
#include "unit.h"

static const struct fixture fixture = {"interleaved", 4, 2, 8, 1, 100000, 0.1, 1};

/* A run's clock has any origin; files count from the step's start, to the last ns. */
static int draw_one(const struct pp_report *report, const char *picture,
                    const char *path, const char *keep, struct pp_error *error)
{
    const struct pp_plot_request request = {
        .picture = picture,
        .path = path,
        .keep_data = keep,
        .size = "screen",
        .reports = report,
        .predicted = &report->timeline,
        .count = 1,
    };
    return pp_report_plot(&request, error);
}

START_TEST(files_count_from_the_start_of_the_step)
{
    static int (*const writers[])(const struct pp_report *, const char *,
                                  struct pp_error *) = {
        pp_report_write_json, pp_report_write_trace, pp_report_write_paje,
        pp_report_write_csv};
    const int64_t origin = INT64_C(1234567890123456789);
    struct pp_report report;
    struct pp_error error = {0};
    const char *here = unit_path("here"), *there = unit_path("there");
    fixture_report(&report, &fixture);
    ck_assert_int_eq(writers[_i](&report, here, &error), 0);
    for (size_t k = 0; k < pp_schedule_ops(&report.schedule); k++) {
        report.timeline.spans[k].start += origin;
        report.timeline.spans[k].end += origin;
        report.timeline.spans[k].ready += origin;
        report.timeline.spans[k].arrived += origin;
    }
    report.metrics.start += origin;
    report.metrics.end += origin;
    ck_assert_int_eq(writers[_i](&report, there, &error), 0);
    char *one = unit_content(here), *two = unit_content(there);
    ck_assert(strcmp(one, two) == 0);
    free(one);
    free(two);
    pp_report_release(&report);
}
END_TEST

START_TEST(without_a_timeline_nothing_is_written)
{
    struct pp_report report;
    struct pp_error error = {0};
    FILE *stream = fopen("/dev/null", "w");
    fixture_report(&report, &fixture);
    pp_timeline_release(&report.timeline);
    const char *path = unit_path("nothing.svg");
    ck_assert_int_eq(pp_report_write_trace(&report, path, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "has no timeline", NULL);
    ck_assert_int_eq(pp_report_write_paje(&report, path, &error), -1);
    ck_assert_int_eq(pp_report_write_csv(&report, path, &error), -1);
    ck_assert_int_eq(draw_one(&report, "timeline", path, NULL, &error), -1);
    ck_assert_int_eq(pp_report_print_explain(&report, NULL, stream, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "has no timeline", NULL);
    ck_assert_int_ne(access(path, F_OK), 0);
    fclose(stream);
    pp_report_release(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_exports");
    TCase *tests = tcase_create("report_exports");
    tcase_add_loop_test(tests, files_count_from_the_start_of_the_step, 0, 4);
    tcase_add_test(tests, without_a_timeline_nothing_is_written);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
