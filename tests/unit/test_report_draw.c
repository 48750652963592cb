/* Pictures of reports. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/draw/plot.h"
#include "test_report_fixture.h"
#include "unit.h"

static const struct fixture small = {"gpipe", 2, 1, 4, 1, 0, 0, 1};
static const struct fixture chunks = {"interleaved", 4, 2, 8, 1, 100000, 0.1, 1};

static bool have_gnuplot(void)
{
    return system("command -v gnuplot >/dev/null") == 0;
}

START_TEST(pictures_are_drawn)
{
    static const char *const names[] = {"picture.svg", "picture.png", "picture.pdf"};
    static const char *const starts[] = {"<?xml", "\x89PNG", "%PDF"};
    struct pp_report report;
    struct pp_error error = {0};
    if (!have_gnuplot())
        return;
    fixture_report(&report, &chunks);
    /* A name that gnuplot could take for commands. */
    strcpy(report.schedule.name, "it's `false` \"$\" {/*9 x}");
    for (int i = 0; i < 3; i++) {
        char start[8] = "";
        const char *path = unit_path(names[i]);
        ck_assert_msg(
            pp_report_plot(&report, pp_pictures[_i].name, path, NULL, &error) == 0,
            "%s", error.text);
        FILE *stream = fopen(path, "r");
        ck_assert_uint_gt(fread(start, 1, sizeof start - 1, stream), 0);
        ck_assert_int_eq(strncmp(start, starts[i], strlen(starts[i])), 0);
        fclose(stream);
    }
    pp_report_release(&report);
}
END_TEST

START_TEST(kept_data_can_be_drawn_again)
{
    struct pp_report report;
    struct pp_error error = {0};
    char command[512];
    const char *keep = unit_path("kept");
    if (!have_gnuplot())
        return;
    fixture_report(&report, &small);
    for (int i = 0; pp_pictures[i].name; i++)
        ck_assert_int_eq(pp_report_plot(&report, pp_pictures[i].name,
                                        unit_path("again.svg"), keep, &error),
                         0);
    for (int i = 0; pp_pictures[i].name; i++) {
        snprintf(command, sizeof command,
                 "cd %s && rm %s.svg && gnuplot %s.gp && test -s %s.svg", keep,
                 pp_pictures[i].name, pp_pictures[i].name, pp_pictures[i].name);
        ck_assert_int_eq(system(command), 0);
    }
    pp_report_release(&report);
}
END_TEST

START_TEST(what_cannot_be_drawn_is_refused)
{
    struct pp_report report;
    struct pp_error error = {0};
    fixture_report(&report, &small);
    ck_assert_int_eq(pp_report_plot(&report, "timeline", "a.jpg", NULL, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'a.jpg'", ".svg, .png or .pdf", NULL);
    ck_assert_int_eq(pp_report_plot(&report, "pie", "a.svg", NULL, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'pie'", "timeline", NULL);
    ck_assert_int_eq(pp_report_plot(&report, "timeline", "a.svg", "/no/such", &error),
                     -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'/no/such'", NULL);
    setenv("PATH", unit_path("."), 1);
    const char *path = unit_path("no-gnuplot.svg");
    ck_assert_int_eq(pp_report_plot(&report, "timeline", path, NULL, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "gnuplot", "not installed", NULL);
    ck_assert_int_ne(access(path, F_OK), 0);
    pp_report_release(&report);
}
END_TEST

START_TEST(a_failing_gnuplot_is_told)
{
    static const char script[] = "#!/bin/sh\necho '\"timeline.gp\" line 7: all wrong'\n"
                                 "exit 1\n";
    struct pp_report report;
    struct pp_error error = {0};
    fixture_report(&report, &small);
    chmod(unit_file("gnuplot", script, sizeof script - 1), 0755);
    setenv("PATH", unit_path("."), 1);
    ck_assert_int_eq(
        pp_report_plot(&report, "timeline", unit_path("a.svg"), NULL, &error), -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "gnuplot failed", "all wrong", NULL);
    pp_report_release(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_draw");
    TCase *tests = tcase_create("report_draw");
    tcase_add_loop_test(tests, pictures_are_drawn, 0, 3);
    tcase_add_test(tests, kept_data_can_be_drawn_again);
    tcase_add_test(tests, what_cannot_be_drawn_is_refused);
    tcase_add_test(tests, a_failing_gnuplot_is_told);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
