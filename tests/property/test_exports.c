/* What is in the traces of every kind of schedule. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test_report_fixture.h"
#include "../unit/unit.h"
#include "report/export/export.h"
#include "report/export/json.h"
#include "timeline/producers.h"

static const struct fixture fixtures[] = {
    {"gpipe", 2, 1, 4, 1, 0, 0, 1},
    {"1f1b", 4, 1, 8, 1, 0, 0.1, 1},
    {"1f1b", 4, 1, 3, 1, 2500000, 0, 1.5}, /* messages overlap on their way */
    {"interleaved", 4, 2, 8, 1, 100000, 0.1, 1},
    {"zb-h1", 4, 1, 8, 1, 50000, 0.1, 1},
    {"interleaved", 4, 2, 8, 5, 12345, 0.1, 1.25},
    {"dualpipev", 4, 2, 12, 1, 100000, 0.1, 1},
    {"decode", 3, 1, 9, 1, 100000, 0.1, 1.25, .groups = 4, .prompt_chunks = 2},
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

static int64_t ns_of(const json_t *rank, const char *key)
{
    return llround(json_number_value(json_object_get(rank, key)) * 1e9);
}

START_TEST(causes_add_up_to_idle_exactly)
{
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("sums.json");
    fixture_report(&report, &fixtures[_i]);
    ck_assert_int_eq(pp_report_write_json(&report, path, &error), 0);
    json_t *root = json_load_file(path, 0, NULL), *rank,
           *ranks = json_object_get(root, "ranks");
    size_t r;
    json_array_foreach(ranks, r, rank)
    {
        int64_t idle = ns_of(rank, "idle_s");
        ck_assert_int_eq(idle, report.metrics.of_rank[r].idle);
        ck_assert_int_eq(idle, ns_of(rank, "warmup_s") + ns_of(rank, "dependency_s") +
                                   ns_of(rank, "communication_s") +
                                   ns_of(rank, "overhead_s") +
                                   ns_of(rank, "cooldown_s"));
        ck_assert_int_eq(idle + ns_of(rank, "busy_s"), ns_of(root, "makespan_s"));
    }
    ck_assert_int_eq((int)r, report.schedule.ranks);
    json_decref(root);
    pp_report_release(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exports");
    TCase *tests = tcase_create("exports");
    tcase_add_loop_test(tests, a_trace_keeps_to_its_schema, 0, FIXTURES);
    tcase_add_loop_test(tests, messages_take_their_links_time, 0, FIXTURES);
    tcase_add_loop_test(tests, pj_dump_reads_paje, 0, FIXTURES);
    tcase_add_loop_test(tests, causes_add_up_to_idle_exactly, 0, FIXTURES);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
