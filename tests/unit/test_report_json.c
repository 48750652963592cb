/* The report as JSON: what is written, what comes back, what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/export/json.h"
#include "report/numbers.h"
#include "test_report_fixture.h"
#include "unit.h"

static const struct fixture noisy = {.schedule = "interleaved",
                                     .ranks = 4,
                                     .chunks = 2,
                                     .microbatches = 8,
                                     .steps = 5,
                                     .latency = 12345,
                                     .jitter = 0.1,
                                     .last_stage = 1.25};

static const struct fixture decoding = {.schedule = "decode",
                                        .ranks = 3,
                                        .chunks = 1,
                                        .microbatches = 7,
                                        .steps = 2,
                                        .latency = 1000,
                                        .jitter = 0.1,
                                        .last_stage = 1.5,
                                        .groups = 2,
                                        .prompt_chunks = 2};

static json_t *load(const char *path)
{
    json_error_t problem;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
    ck_assert_msg(root != NULL, "%s", problem.text);
    return root;
}

/* A report with every kind of value in it. */
static void make_full(struct pp_report *report)
{
    fixture_report(report, &noisy);
    strcpy(report->command, "run");
    strcpy(report->environment.host, "a \"quoted\" name\\");
    strcpy(report->ranks[2].cpuset, "0-1,3");
    report->environment.cores = 2;
    report->environment.oversubscribed = true;
    report->config =
        json_pack("{s:s, s:f, s:n}", "data", "README.md", "lr", 1e-3, "none");
    report->ranks[0].peak_activation_bytes = 123456789012;
    report->ranks[0].parameter_bytes = 4096;
    report->theory = 1 / 3.0;
    report->predicted = 0.1;
    report->predicted_makespan_s = 0.0123456789;
    report->link_latency_s = 5e-6;
    report->training.losses = malloc(2 * sizeof(double));
    report->training.losses[0] = 5.5451774444795623;
    report->training.losses[1] = NAN;
    report->training.loss_count = 2;
    report->training.verified = 1;
    strcpy(report->training.digest, "0123456789abcdef");
}

/* Writes the report, reads it into another, writes that, and compares the files. */
static void go_round(const struct pp_report *report, struct pp_report *again)
{
    struct pp_error error = {0};
    const char *first = unit_path("first.json"), *second = unit_path("second.json");
    ck_assert_int_eq(pp_report_write_json(report, first, &error), 0);
    ck_assert_msg(pp_report_read_json(again, first, &error) == 0, "%s", error.text);
    ck_assert_int_eq(pp_report_write_json(again, second, &error), 0);
    char *one = unit_content(first), *two = unit_content(second);
    ck_assert_str_eq(one, two);
    free(one);
    free(two);
}

START_TEST(what_is_written_reads_back_the_same)
{
    struct pp_report report, again;
    make_full(&report);
    go_round(&report, &again);
    ck_assert_double_eq(again.training.losses[0], report.training.losses[0]);
    ck_assert(isnan(again.training.losses[1]));
    ck_assert(isinf(again.link_bandwidth));
    ck_assert_int_eq(again.metrics.makespan, report.metrics.makespan);
    ck_assert_int_eq(again.training.verified, 1);
    ck_assert_int_eq((int)pp_schedule_ops(&again.schedule),
                     (int)pp_schedule_ops(&report.schedule));
    pp_report_release(&report);
    pp_report_release(&again);
}
END_TEST

/* What its ops do not say: whose tokens a microbatch begins with, its group, its class;
 * and which class a cost is of. */
START_TEST(decoding_reads_back_the_same)
{
    struct pp_report report, again;
    fixture_report(&report, &decoding);
    go_round(&report, &again);
    const struct pp_schedule *was = &report.schedule, *is = &again.schedule;
    ck_assert(pp_decodes(is));
    ck_assert_int_eq(is->groups, 2);
    for (int i = 0; i < was->microbatches; i++) {
        ck_assert_int_eq(is->after[i], was->after[i]);
        ck_assert_int_eq(is->then[i], was->then[i]);
        ck_assert_int_eq(is->group_of[i], was->group_of[i]);
        ck_assert(
            pp_same_class(pp_class_of(is, (uint32_t)i), pp_class_of(was, (uint32_t)i)));
    }
    ck_assert_int_eq(again.cost_count, 3 * 2);
    ck_assert_str_eq(again.costs[1].of_class.label, "decode");
    ck_assert_int_eq(again.costs[1].of_class.rows, 2);
    pp_report_release(&report);
    pp_report_release(&again);
}
END_TEST

/* Every key that the schema promises, with its type; and null for what is unknown. */
START_TEST(the_keys_are_those_promised)
{
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("keys.json");
    fixture_report(&report, &noisy);
    ck_assert_int_eq(pp_report_write_json(&report, path, &error), 0);
    json_t *root = load(path);
    const char *schema;
    double real;
    json_int_t number;
    json_error_t problem;
    json_t *null1, *null2, *null3, *null4, *null5, *null6;
    ck_assert_msg(
        json_unpack_ex(
            root, &problem, 0,
            "{s:s, s:s, s:s, s:{s:s, s:i, s:i, s:i, s:i}, s:{s:n, s:s, s:n, s:n, s:n, "
            "s:b},"
            " s:F, s:F, s:{s:F, s:F, s:F, s:o, s:o, s:F, s:F,"
            " s:{s:F, s:F, s:F, s:F, s:F}}, s:[{s:i, s:[I, I], s:F, s:F, s:F, s:F, s:F,"
            " s:F, s:F, s:F, s:o, s:o, s:n}], s:[{s:i, s:s, s:F, s:F, s:F, s:I}],"
            " s:{s:F, s:o}, s:{s:[], s:n, s:o}, s:[{s:I, s:F, s:F, s:F}]}",
            "schema", &schema, "version", &schema, "command", &schema, "config",
            "schedule", &schema, "ranks", &number, "chunks", &number, "stages", &number,
            "microbatches", &number, "environment", "cores", "clock", &schema, "mpi",
            "blas", "host", "oversubscribed", &number, "makespan_s", &real,
            "tokens_per_s", &real, "bubble", "fraction", &real, "over_ideal", &real,
            "span_fraction", &real, "theory", &null1, "predicted", &null2, "min", &real,
            "max", &real, "causes", "warmup", &real, "dependency", &real,
            "communication", &real, "overhead", &real, "cooldown", &real, "ranks",
            "rank", &number, "stages", &number, &number, "busy_s", &real, "idle_s",
            &real, "warmup_s", &real, "dependency_s", &real, "communication_s", &real,
            "overhead_s", &real, "cooldown_s", &real, "peak_in_flight", &real,
            "peak_activation_bytes", &null5, "parameter_bytes", &null6, "cpuset",
            "costs", "stage", &number, "kind", &schema, "median_s", &real, "p5_s",
            &real, "p95_s", &real, "count", &number, "link", "latency_s", &real,
            "bandwidth_Bps", &null3, "training", "losses", "digest", "verified", &null4,
            "steps", "step", &number, "makespan_s", &real, "step_s", &real, "bubble",
            &real) == 0,
        "%s", problem.text);
    ck_assert(json_is_null(null1) && json_is_null(null2));
    ck_assert(json_is_null(null3) && json_is_null(null4));
    ck_assert(json_is_null(null5) && json_is_null(null6)); /* of a simulation */
    json_decref(root);
    pp_report_release(&report);
}
END_TEST

/* A good report with one thing changed, and what the message must say. */
struct change {
    const char *find, *replace;
    const char *says;
};
static const struct change changes[] = {
    {"\"ppsim.report/1\"", "\"ppsim.report/2\"", "'schema' is 'ppsim.report/2'"},
    {"\"ppsim.report/1\"", "1", "'schema' is a whole number, should be text"},
    {"\"fraction\"", "\"fractional\"", "'bubble.fraction' is missing"},
    {"\"fraction\": 0", "\"fraction\": \"x\", \"q\": 0",
     "'bubble.fraction' is text, should be a number"},
    {"\"ranks\": 4", "\"ranks\": 5", "'ranks' lists 4 ranks, 'config.ranks' says 5"},
    {"\"ranks\": 4", "\"ranks\": 99999999", "'config.ranks' is 99999999, should be"},
    {"\"stages\": 8", "\"stages\": 9", "'config.stages' is 9, but the ranks list 8"},
    {"\"chunks\": 2", "\"chunks\": 1",
     "'config.chunks' is 1, but the ranks hold up to 2"},
    {"\"stages\": [1, 5]", "\"stages\": [1, 4]",
     "'ranks[1].stages[1]' is stage 4, which rank 0 holds already"},
    {"\"stages\": [1, 5]", "\"stages\": [1, 8]",
     "'ranks[1].stages[1]' is 8, should be from 0 to 7"},
    {"\"stages\": [1, 5]", "\"stages\": [1, -1]", "is -1, should be from 0 to 7"},
    {"\"rank\": 2", "\"rank\": 3", "'ranks[2].rank' is 3, should be 2"},
    {"\"busy_s\": 0", "\"busy_s\": 1", "do not add up to 'makespan_s'"},
    {"\"busy_s\": 0", "\"busy_s\": -1", "'ranks[0].busy_s' is below 0"},
    {"\"cooldown_s\": 0", "\"cooldown_s\": 1", "is not the sum of its causes"},
    {"\"makespan_s\": ", "\"makespan_s\": 1e300, \"q\": ", "should be seconds"},
    {"\"kind\": \"B\"", "\"kind\": \"X\"", "'costs[1].kind' is 'X', should be F"},
    {"\"losses\": []", "\"losses\": {}",
     "'training.losses' is an object, should be a list"},
    {"\"verified\": null", "\"verified\": 3",
     "'training.verified' is a whole number, should be true or false"},
    {"\"representative_step\": ", "\"representative_step\": 99",
     "'representative_step' is 99"},
    {"\"timeline\": {", "\"timeline\": {\"ops\": 3, \"x\": {", "is not JSON"},
    {"\"0F0\"", "\"0X0\"", "'timeline.ops[0][0][0]' is '0X0', should be an op"},
    {"\"0F0\"", "\"0F99999999999\"", "should be an op such as 3F12"},
    {"\"0F0\"", "\"7F0\"", "'timeline.ops' is not a valid schedule"},
    {"\"0F0\"", "\"\\u0007\\nF0\"", "'timeline.ops[0][0][0]' is '\?\?F0'"},
    {"\"0F0\",0", "\"0F0\",null", "is null, should be a number"},
    {"\"0F0\",0", "\"0F0\",9", "has times out of order"},
    {"\"microbatches\": 8", "\"microbatches\": 9",
     "has 128 ops: 8 stages and 9 microbatches take 144 to 216"},
    {"\"microbatches\": 8", "\"microbatches\": 268435456",
     "'timeline.ops' has 128 ops"},
};

static const struct change of_decoding[] = {
    {"\"after\": [-1", "\"after\": [-2",
     "'timeline.decoding.after[0]' is -2, should be from -1"},
    {"\"after\": [-1,", "\"after\": [",
     "has 10 numbers, should have one for each of 11"},
    {"\"after\": [-1", "\"after\": [99", "'timeline.ops' is not a valid schedule"},
    {"\"after\": [-1", "\"after\": [2", "'timeline.ops' is not a valid schedule"},
    {"\"class_of\": [0", "\"class_of\": [2", "'timeline.ops' is not a valid schedule"},
    {"\"group_of\": [0", "\"group_of\": [268435455", "not a valid schedule"},
    {"\"class\": \"prefill\", \"rows\": 16}", "\"class\": \"x\", \"rows\": 16}",
     "'timeline.ops' is not a valid schedule"},
    {"\"classes\"", "\"q\"", "'timeline.decoding.classes' is missing"},
    {"\"decoding\"", "\"q\"", "has 33 ops: 3 stages and 11 microbatches take 66 to 99"},
    {"\"class\": \"decode\", \"rows\": 2, \"median_s\"",
     "\"class\": \"prefill\", \"rows\": 16, \"median_s\"",
     "'costs[1]' repeats stage 0 and kind F of class prefill"},
};

static void refuse(const struct fixture *fixture, const struct change *change)
{
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("good.json");
    fixture_report(&report, fixture);
    ck_assert_int_eq(pp_report_write_json(&report, path, &error), 0);
    pp_report_release(&report);
    char *text = unit_content(path);
    char *at = strstr(text, change->find), *changed;
    ck_assert_msg(at != NULL, "no %s in the report", change->find);
    size_t before = (size_t)(at - text);
    int length = asprintf(&changed, "%.*s%s%s", (int)before, text, change->replace,
                          at + strlen(change->find));
    path = unit_file("changed.json", changed, (size_t)length);
    ck_assert_int_eq(pp_report_read_json(&report, path, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, path, change->says, NULL);
    free(text);
    free(changed);
}

START_TEST(hostile_files_are_refused_in_one_line)
{
    refuse(&noisy, &changes[_i]);
}
END_TEST

START_TEST(hostile_decoding_is_refused_in_one_line)
{
    refuse(&decoding, &of_decoding[_i]);
}
END_TEST

/* Cut anywhere, it is refused without harm. */
/* A file from before there was the key reads as one that does not know. */
START_TEST(older_files_lack_the_core_share)
{
    const struct fixture counted = {"1f1b", 2, 1, 4, 1, 0, 0, 1, 0.5};
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("counted.json");
    fixture_report(&report, &counted);
    ck_assert_int_eq(pp_report_write_json(&report, path, &error), 0);
    pp_report_release(&report);
    ck_assert_int_eq(pp_report_read_json(&report, path, &error), 0);
    ck_assert_double_eq(report.ranks[0].core_share, 0.5);
    pp_report_release(&report);

    json_t *root = load(path), *rank;
    size_t r;
    json_array_foreach(json_object_get(root, "ranks"), r, rank)
        ck_assert_int_eq(json_object_del(rank, "core_share"), 0);
    ck_assert_int_eq(json_dump_file(root, path, 0), 0);
    json_decref(root);
    ck_assert_msg(pp_report_read_json(&report, path, &error) == 0, "%s", error.text);
    ck_assert(isnan(report.ranks[0].core_share));
    pp_report_release(&report);
}
END_TEST

START_TEST(truncated_files_are_refused)
{
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_path("whole.json");
    make_full(&report);
    ck_assert_int_eq(pp_report_write_json(&report, path, &error), 0);
    pp_report_release(&report);
    char *text = unit_content(path);
    size_t size = strlen(text);
    for (size_t end = 1; end + 2 < size; end += 97) {
        path = unit_file("cut.json", text, end);
        ck_assert_int_eq(pp_report_read_json(&report, path, &error), -1);
        unit_expect_error(&error, PP_BAD_INPUT, path, NULL);
    }
    free(text);
}
END_TEST

START_TEST(what_is_no_report_is_refused)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "is not JSON: line 1"},
        {"[1, 2]", "is not a ppsim report"},
        {"{}", "'schema' is missing"},
        {"{\"schema\": \"ppsim.report/1\"}", "'version' is missing"},
        {"{\"schema\": 1, \"schema\": 1}", "is not JSON"},
        {"{\"schema\": \"\xff\"}", "is not JSON"},
    };
    struct pp_report report;
    struct pp_error error = {0};
    const char *path = unit_file("odd.json", cases[_i].text, strlen(cases[_i].text));
    ck_assert_int_eq(pp_report_read_json(&report, path, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, path, cases[_i].says, NULL);
    ck_assert_int_eq(pp_report_read_json(&report, unit_path("none"), &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "No such file", NULL);
    ck_assert_int_eq(pp_report_read_json(&report, unit_path("."), &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "cannot read", NULL);
}
END_TEST

START_TEST(decimals_are_exact)
{
    static const struct {
        int64_t value;
        int places;
        const char *text;
    } cases[] = {
        {0, 0, "0"},
        {0, 9, "0"},
        {1, 9, "0.000000001"},
        {1500, 3, "1.5"},
        {-1500, 3, "-1.5"},
        {1000, 3, "1"},
        {10, 0, "10"},
        {123456789, 9, "0.123456789"},
        {INT64_MAX, 9, "9223372036.854775807"},
        {INT64_MIN, 9, "-9223372036.854775808"},
        {INT64_MIN, 18, "-9.223372036854775808"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[PP_DECIMAL_TEXT];
        ck_assert_str_eq(pp_decimal_text(cases[i].value, cases[i].places, text),
                         cases[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report_json");
    TCase *tests = tcase_create("report_json");
    tcase_add_test(tests, what_is_written_reads_back_the_same);
    tcase_add_test(tests, the_keys_are_those_promised);
    tcase_add_loop_test(tests, hostile_files_are_refused_in_one_line, 0,
                        sizeof changes / sizeof *changes);
    tcase_add_test(tests, decoding_reads_back_the_same);
    tcase_add_loop_test(tests, hostile_decoding_is_refused_in_one_line, 0,
                        sizeof of_decoding / sizeof *of_decoding);
    tcase_add_test(tests, older_files_lack_the_core_share);
    tcase_add_test(tests, truncated_files_are_refused);
    tcase_add_loop_test(tests, what_is_no_report_is_refused, 0, 6);
    tcase_add_test(tests, decimals_are_exact);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
