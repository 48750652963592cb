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

enum { PICTURES = 5 }; /* of pp_pictures */

static bool have_gnuplot(void)
{
    return system("command -v gnuplot >/dev/null") == 0;
}

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
        ck_assert_msg(draw_one(&report, pp_pictures[_i].name, path, NULL, &error) == 0,
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
        ck_assert_int_eq(draw_one(&report, pp_pictures[i].name, unit_path("again.svg"),
                                  keep, &error),
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
    ck_assert_int_eq(draw_one(&report, "timeline", "a.jpg", NULL, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'a.jpg'", ".svg, .png or .pdf", NULL);
    ck_assert_int_eq(draw_one(&report, "pie", "a.svg", NULL, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'pie'", "timeline", NULL);
    ck_assert_int_eq(draw_one(&report, "timeline", "a.svg", "/no/such", &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'/no/such'", NULL);
    setenv("PATH", unit_path("."), 1);
    const char *path = unit_path("no-gnuplot.svg");
    ck_assert_int_eq(draw_one(&report, "timeline", path, NULL, &error), -1);
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
    ck_assert_int_eq(draw_one(&report, "timeline", unit_path("a.svg"), NULL, &error),
                     -1);
    unit_expect_error(&error, PP_ENVIRONMENT, "gnuplot failed", "all wrong", NULL);
    pp_report_release(&report);
}
END_TEST

START_TEST(sizes_have_names_or_lengths)
{
    static const struct {
        const char *text;
        double width, height, font; /* px; 0: any */
    } valid[] = {
        {"screen", 1200, 0, 14},
        {"column", 8.5 / 2.54 * 96, 0, 8 / 72.0 * 96},
        {"page", 17 / 2.54 * 96, 0, 9 / 72.0 * 96},
        {"slide", 1280, 720, 0},
        {"800x600", 800, 600, 0},
        {"800pxx600px", 800, 600, 0},
        {"12.7cmx5.08cm", 480, 192, 8 / 72.0 * 96},
        {"127x50.8mm", 480, 192, 8 / 72.0 * 96},
        {"5inx144pt", 480, 192, 8 / 72.0 * 96},
    };
    static const char *const wrong[] = {"",        "12cm",    "x600",     "800x",
                                        "0x600",   "-8x600",  "800x600q", "800 x 600",
                                        "infxinf", "nanx600", "columns"};
    struct pp_plot_size size;
    struct pp_error error = {0};
    for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
        ck_assert_msg(pp_plot_size_parse(valid[i].text, &size, &error) == 0, "%s",
                      valid[i].text);
        ck_assert_double_eq_tol(size.width, valid[i].width, 1e-9);
        ck_assert_double_eq_tol(size.height, valid[i].height, 1e-9);
        if (valid[i].font > 0)
            ck_assert_double_eq_tol(size.font, valid[i].font, 1e-9);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(pp_plot_size_parse(wrong[i], &size, &error) == -1, "%s",
                      wrong[i]);
        unit_expect_error(&error, PP_BAD_INPUT, "'--size'", "column", "12cmx8cm", NULL);
    }
    ck_assert_int_eq(pp_plot_size_parse("2x3cm", &size, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "2x3cm", "from 150 px", NULL);
    ck_assert_int_eq(pp_plot_size_parse("800x30000", &size, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "to 20000 px", NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_draw");
    TCase *tests = tcase_create("report_draw");
    tcase_add_loop_test(tests, pictures_are_drawn, 0, PICTURES);
    tcase_add_test(tests, sizes_have_names_or_lengths);
    tcase_add_test(tests, kept_data_can_be_drawn_again);
    tcase_add_test(tests, what_cannot_be_drawn_is_refused);
    tcase_add_test(tests, a_failing_gnuplot_is_told);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
