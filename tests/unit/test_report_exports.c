/* Traces, tables, pictures and the critical path of reports. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/draw/gnuplot.h"
#include "report/draw/plot.h"
#include "report/export/export.h"
#include "report/export/json.h"
#include "report/print/explain.h"
#include "test_report_fixture.h"
#include "timeline/critical.h"
#include "unit.h"

static const struct fixture fixtures[] = {
    {"gpipe", 2, 1, 4, 1, 0, 0, 1},
    {"1f1b", 4, 1, 8, 1, 0, 0.1, 1},
    {"1f1b", 4, 1, 3, 1, 2500000, 0, 1.5}, /* messages overlap on their way */
    {"interleaved", 4, 2, 8, 1, 100000, 0.1, 1},
    {"zb-h1", 4, 1, 8, 1, 50000, 0.1, 1},
    {"dualpipev", 4, 2, 12, 1, 100000, 0.1, 1},
};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

static int64_t in_ns(const json_t *event, const char *key)
{
    const json_t *value = json_object_get(event, key);
    ck_assert_msg(json_is_number(value), "no number '%s'", key);
    return llround(json_number_value(value) * 1000);
}

/* Slices of one thread nest: sorted by start, each ends before all open ones do. */
static void check_nesting(json_t *events, int64_t pid, int64_t tid)
{
    enum { DEEPEST = 8 };
    int64_t open[DEEPEST];
    int depth = 0;
    int64_t last = -1;
    size_t i;
    json_t *event;
    json_array_foreach(events, i, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "ph")), "X") != 0 ||
            json_integer_value(json_object_get(event, "pid")) != pid ||
            json_integer_value(json_object_get(event, "tid")) != tid)
            continue;
        int64_t start = in_ns(event, "ts"), end = start + in_ns(event, "dur");
        ck_assert_int_ge(start, last);
        last = start;
        while (depth > 0 && open[depth - 1] <= start)
            depth--;
        ck_assert(depth == 0 || open[depth - 1] >= end);
        ck_assert_int_lt(depth, DEEPEST);
        open[depth++] = end;
    }
}

/* Is there a slice of the rank's ops that holds the time? */
static bool held(json_t *events, int64_t pid, int64_t time)
{
    size_t i;
    json_t *event;
    json_array_foreach(events, i, event)
    {
        if (strcmp(json_string_value(json_object_get(event, "ph")), "X") == 0 &&
            json_integer_value(json_object_get(event, "pid")) == pid &&
            json_integer_value(json_object_get(event, "tid")) == 1 &&
            in_ns(event, "ts") <= time &&
            time < in_ns(event, "ts") + in_ns(event, "dur"))
            return true;
    }
    return false;
}

START_TEST(a_trace_keeps_to_its_schema)
{
    const struct fixture *fixture = &fixtures[_i];
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("trace.json");
    fixture_report(&report, fixture);
    ck_assert_int_eq(pp_report_write_trace(&report, path, &error), 0);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    json_t *events = json_object_get(root, "traceEvents"), *event;
    ck_assert(json_is_array(events));
    size_t ops = pp_schedule_ops(&report.schedule), i;
    size_t slices = 0, names = 0, sends = 0, receives = 0, counters = 0;
    int64_t *sent = calloc(ops + 1, sizeof *sent);
    int64_t *received = calloc(ops + 1, sizeof *received);
    json_array_foreach(events, i, event)
    {
        const char *ph = json_string_value(json_object_get(event, "ph"));
        json_int_t pid = json_integer_value(json_object_get(event, "pid"));
        ck_assert_ptr_nonnull(ph);
        ck_assert_int_ge(pid, 1);
        ck_assert_int_le(pid, fixture->ranks);
        ck_assert(json_is_string(json_object_get(event, "name")));
        ck_assert_int_ge(in_ns(event, "ts"), 0);
        json_t *arguments = json_object_get(event, "args");
        json_int_t id = json_integer_value(json_object_get(event, "id"));
        json_int_t tid = json_integer_value(json_object_get(event, "tid"));
        switch (*ph) {
        case 'X':
            ck_assert_int_ge(tid, 1);
            ck_assert_int_ge(in_ns(event, "dur"), 0);
            slices += tid == 1;
            if (tid == 1) {
                ck_assert(json_is_integer(json_object_get(arguments, "stage")));
                ck_assert(json_is_integer(json_object_get(arguments, "microbatch")));
                ck_assert(json_is_string(json_object_get(arguments, "phase")));
            }
            break;
        case 's':
        case 'f':
            ck_assert_int_ge(id, 1);
            ck_assert_int_le(id, (int)ops);
            ck_assert(held(events, pid, in_ns(event, "ts")));
            if (*ph == 's')
                sends++, sent[id] = in_ns(event, "ts") + 1;
            else
                receives++, received[id] = in_ns(event, "ts") + 1;
            break;
        case 'C':
            counters++;
            ck_assert(json_is_number(json_object_get(arguments, "microbatches")));
            break;
        case 'M':
            names += strstr(json_string_value(json_object_get(event, "name")),
                            "name") != NULL;
            break;
        default:
            ck_abort_msg("an event of phase %s", ph);
        }
    }
    ck_assert_uint_eq(slices, ops);
    ck_assert_uint_eq(sends, receives);
    ck_assert_uint_gt(sends, 0);
    for (size_t id = 1; id <= ops; id++)
        ck_assert(sent[id] ? received[id] >= sent[id] : received[id] == 0);
    ck_assert_uint_eq(counters, 2 * (size_t)report.schedule.stages *
                                    (size_t)report.schedule.microbatches);
    ck_assert_uint_ge(names, 2 * (size_t)fixture->ranks);
    for (int pid = 1; pid <= fixture->ranks; pid++)
        check_nesting(events, pid, 1);
    free(sent);
    free(received);
    json_decref(root);
    pp_report_release(&report);
}
END_TEST

/* Messages, drawn in the order they are received in, may not overlap on a thread; each
 * is on its way as long as the link takes, however late it is used. */
START_TEST(messages_take_their_links_time)
{
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("lanes.json");
    fixture_report(&report, &fixtures[_i]);
    ck_assert_int_eq(pp_report_write_trace(&report, path, &error), 0);
    json_t *root = json_load_file(path, 0, NULL), *event;
    json_t *events = json_object_get(root, "traceEvents");
    int64_t until[16][20] = {{0}};
    size_t i, slices = 0, arrows = 0;
    json_array_foreach(events, i, event)
    {
        json_int_t pid = json_integer_value(json_object_get(event, "pid"));
        json_int_t tid = json_integer_value(json_object_get(event, "tid"));
        arrows += strcmp(json_string_value(json_object_get(event, "ph")), "s") == 0;
        if (tid < 2 ||
            strcmp(json_string_value(json_object_get(event, "ph")), "X") != 0)
            continue;
        ck_assert_int_ge(in_ns(event, "ts"), until[pid][tid]);
        until[pid][tid] = in_ns(event, "ts") + in_ns(event, "dur");
        ck_assert_int_eq(in_ns(event, "dur"), fixtures[_i].latency);
        slices++;
    }
    ck_assert_uint_eq(slices, fixtures[_i].latency > 0 ? arrows : 0);
    json_decref(root);
    pp_report_release(&report);
}
END_TEST

START_TEST(pj_dump_reads_paje)
{
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("trace.paje");
    char command[512], line[256];
    if (system("pj_dump --version >/dev/null 2>&1 || command -v pj_dump >/dev/null") !=
        0)
        return;
    fixture_report(&report, &fixtures[_i]);
    ck_assert_int_eq(pp_report_write_paje(&report, path, &error), 0);
    snprintf(command, sizeof command, "pj_dump %s 2>&1", path);
    FILE *dump = popen(command, "r");
    ck_assert_ptr_nonnull(dump);
    size_t busy = 0, links = 0, messages = 0, variables = 0;
    while (fgets(line, sizeof line, dump)) {
        if (strncmp(line, "State,", 6) == 0)
            busy += !strstr(line, "idle");
        else if (strncmp(line, "Link,", 5) == 0)
            links++;
        else if (strncmp(line, "Variable,", 9) == 0)
            variables++;
        else
            ck_assert_msg(strncmp(line, "Container,", 10) == 0, "%s", line);
    }
    ck_assert_int_eq(pclose(dump), 0);
    struct pp_producers producers;
    ck_assert_int_eq(pp_producers_init(&producers, &report.schedule, &error), 0);
    size_t ops = pp_schedule_ops(&report.schedule);
    for (size_t k = 0; k < ops; k++) {
        int64_t producer = pp_producer_of(&producers, (int64_t)k);
        messages +=
            producer != PP_NO_OP && pp_rank_of_op(&report.schedule, producer) !=
                                        pp_rank_of_op(&report.schedule, (int64_t)k);
    }
    ck_assert_uint_eq(busy, ops);
    ck_assert_uint_eq(links, messages);
    ck_assert_uint_gt(variables, 0);
    pp_producers_release(&producers);
    pp_report_release(&report);
}
END_TEST

static char *content(const char *path)
{
    FILE *stream = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_gt(getdelim(&text, &size, '\0', stream), 0);
    fclose(stream);
    return text;
}

/* A run's clock has any origin; files count from the step's start, to the last ns. */
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
    fixture_report(&report, &fixtures[3]);
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
    char *one = content(here), *two = content(there);
    ck_assert(strcmp(one, two) == 0);
    free(one);
    free(two);
    pp_report_release(&report);
}
END_TEST

START_TEST(csv_has_a_row_per_op)
{
    static const char expected[] =
        "step,rank,stage,chunk,kind,microbatch,start_s,end_s\n"
        "3,0,0,0,F,0,0,0.001\n3,0,0,0,F,1,0.001,0.002\n"
        "3,0,0,0,B,0,0.005,0.007\n3,0,0,0,B,1,0.007,0.009\n"
        "3,1,1,0,F,0,0.001,0.002\n3,1,1,0,F,1,0.002,0.003\n"
        "3,1,1,0,B,0,0.003,0.005\n3,1,1,0,B,1,0.005,0.007\n";
    const struct fixture small = {"gpipe", 2, 1, 2, 1, 0, 0, 1};
    struct pp_report report;
    struct pp_error error = {0};
    char text[1024] = "";
    const char *path = unit_path("ops.csv");
    fixture_report(&report, &small);
    ck_assert_int_eq(pp_report_write_csv(&report, path, &error), 0);
    FILE *stream = fopen(path, "r");
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, stream), 0);
    fclose(stream);
    ck_assert_str_eq(text, expected);
    pp_report_release(&report);
}
END_TEST

START_TEST(without_a_timeline_nothing_is_written)
{
    struct pp_report report;
    struct pp_error error = {0};
    FILE *stream = fopen("/dev/null", "w");
    fixture_report(&report, &fixtures[0]);
    pp_timeline_release(&report.timeline);
    const char *path = unit_path("nothing.svg");
    ck_assert_int_eq(pp_report_write_trace(&report, path, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "holds no timeline", NULL);
    ck_assert_int_eq(pp_report_write_paje(&report, path, &error), -1);
    ck_assert_int_eq(pp_report_write_csv(&report, path, &error), -1);
    ck_assert_int_eq(pp_report_plot(&report, "timeline", path, NULL, &error), -1);
    ck_assert_int_eq(pp_report_print_explain(&report, NULL, stream, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "holds no timeline", NULL);
    ck_assert_int_ne(access(path, F_OK), 0);
    fclose(stream);
    pp_report_release(&report);
}
END_TEST

/* The path leads from the step's start to its end without a break, and its parts add up
 * to the makespan. */
START_TEST(the_critical_path_is_whole)
{
    struct pp_report report;
    struct pp_error error = {0};
    struct pp_producers producers;
    struct pp_critical critical;
    fixture_report(&report, &fixtures[_i]);
    const struct pp_span *spans = report.timeline.spans;
    ck_assert_int_eq(pp_producers_init(&producers, &report.schedule, &error), 0);
    ck_assert_int_eq(pp_critical_init(&critical, &report.timeline, &report.metrics,
                                      &producers, &error),
                     0);
    int64_t at = report.metrics.start, busy = 0, ranks = 0;
    for (size_t i = 0; i < critical.count; i++) {
        const struct pp_path_op *link = &critical.path[i];
        ck_assert_int_eq(at + link->hop + link->overhead, spans[link->op].start);
        bool released = !link->crossed;
        for (int64_t k = link->op;
             !released && k <= pp_release_of(&report.schedule, link->op); k++) {
            int64_t producer = pp_producer_of(&producers, k);
            released =
                producer != PP_NO_OP &&
                pp_release_of(&report.schedule, producer) == critical.path[i - 1].op;
        }
        ck_assert(released);
        at = spans[link->op].end;
    }
    ck_assert_int_eq(at, report.metrics.end);
    for (int kind = 0; kind < PP_KINDS; kind++)
        busy += critical.busy[kind];
    for (int r = 0; r < report.schedule.ranks; r++)
        ranks += critical.of_rank[r];
    ck_assert_int_eq(busy, ranks);
    ck_assert_int_eq(busy + critical.hops + critical.overhead, report.metrics.makespan);
    pp_critical_release(&critical);
    pp_producers_release(&producers);
    pp_report_release(&report);
}
END_TEST

START_TEST(the_slow_stage_is_most_of_the_path)
{
    const struct fixture slow = {"1f1b", 4, 1, 16, 1, 0, 0, 2};
    struct pp_report report;
    struct pp_error error = {0};
    struct pp_producers producers;
    struct pp_critical critical;
    struct pp_gap gaps[2];
    fixture_report(&report, &slow);
    ck_assert_int_eq(pp_producers_init(&producers, &report.schedule, &error), 0);
    ck_assert_int_eq(pp_critical_init(&critical, &report.timeline, &report.metrics,
                                      &producers, &error),
                     0);
    /* 16 times 4 ms, on a path of 3 forwards down, 16 * 6 ms, 3 backwards up. */
    ck_assert_int_eq(critical.of_stage[3][PP_B], 64000000);
    ck_assert_int_eq(report.metrics.makespan, 3000000 + 96000000 + 6000000);
    /* Rank 3 waits once, for the first microbatch to come down. */
    ck_assert_int_eq(
        pp_longest_gaps(&report.timeline, &report.metrics, &producers, 3, 2, gaps), 1);
    ck_assert_int_eq(gaps[0].from, 0);
    ck_assert_int_eq(gaps[0].wait.dependency, 3000000);
    ck_assert_int_eq(pp_rank_of_op(&report.schedule, gaps[0].producer), 2);
    /* Rank 0's longest gap: 4 forwards, then until 0B0: 1 + 1 + 1 + 2 + 4 + 2 + 2. */
    ck_assert_int_eq(
        pp_longest_gaps(&report.timeline, &report.metrics, &producers, 0, 2, gaps), 2);
    ck_assert_int_eq(gaps[0].from, 4000000);
    ck_assert_int_eq(gaps[0].wait.dependency, 9000000);
    pp_critical_release(&critical);
    pp_producers_release(&producers);
    pp_report_release(&report);
}
END_TEST

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
    fixture_report(&report, &fixtures[3]);
    /* A name that gnuplot could take for commands. */
    strcpy(report.schedule.name, "it's `false` \"$\" {/*9 x}");
    for (int i = 0; i < 3; i++) {
        char start[8] = "";
        const char *path = unit_path(names[i]);
        ck_assert_msg(pp_report_plot(&report, pp_pictures[_i], path, NULL, &error) == 0,
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
    fixture_report(&report, &fixtures[1]);
    for (int i = 0; pp_pictures[i]; i++)
        ck_assert_int_eq(pp_report_plot(&report, pp_pictures[i], unit_path("again.svg"),
                                        keep, &error),
                         0);
    for (int i = 0; pp_pictures[i]; i++) {
        snprintf(command, sizeof command,
                 "cd %s && rm %s.svg && gnuplot %s.gp && test -s %s.svg", keep,
                 pp_pictures[i], pp_pictures[i], pp_pictures[i]);
        ck_assert_int_eq(system(command), 0);
    }
    pp_report_release(&report);
}
END_TEST

START_TEST(what_cannot_be_drawn_is_refused)
{
    struct pp_report report;
    struct pp_error error = {0};
    fixture_report(&report, &fixtures[0]);
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
    fixture_report(&report, &fixtures[0]);
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
    Suite *suite = suite_create("report_exports");
    TCase *tests = tcase_create("report_exports");
    tcase_add_loop_test(tests, a_trace_keeps_to_its_schema, 0, FIXTURES);
    tcase_add_loop_test(tests, messages_take_their_links_time, 0, FIXTURES);
    tcase_add_loop_test(tests, pj_dump_reads_paje, 0, FIXTURES);
    tcase_add_loop_test(tests, files_count_from_the_start_of_the_step, 0, 4);
    tcase_add_test(tests, csv_has_a_row_per_op);
    tcase_add_test(tests, without_a_timeline_nothing_is_written);
    tcase_add_loop_test(tests, the_critical_path_is_whole, 0, FIXTURES);
    tcase_add_test(tests, the_slow_stage_is_most_of_the_path);
    tcase_add_loop_test(tests, pictures_are_drawn, 0, 3);
    tcase_add_test(tests, kept_data_can_be_drawn_again);
    tcase_add_test(tests, what_cannot_be_drawn_is_refused);
    tcase_add_test(tests, a_failing_gnuplot_is_told);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
