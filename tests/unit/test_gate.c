/* What is judged may become a baseline, if all that judges it passes; and command lines
 * that a shell reads back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/gate.h"
#include "cli/quote.h"
#include "report/gate/trust.h"
#include "report/gate/where.h"
#include "test_report_fixture.h"
#include "unit.h"

static const struct fixture shape = {
    .schedule = "1f1b", .ranks = 4, .chunks = 1, .microbatches = 8, .steps = 1};

/* Judges a report that --verify found so (1, 0, -1: not asked) with --update-baseline
 * and one check. Returns whether the baseline was written. */
static bool is_written(int verified, const char *check, bool *passed)
{
    const char *path = unit_path("baseline.json");
    char *words[] = {(char *)"ppsim", NULL};
    struct pp_options options = {.argv = words,
                                 .baseline = path,
                                 .update_baseline = true,
                                 .tolerance = "0.01",
                                 .checks = {&check, 1}};
    struct pp_plan plan = {.schedule = {.ranks = shape.ranks}};
    struct pp_report report;
    struct pp_gate gate;
    struct pp_error error = {0};
    remove(path);
    fixture_report(&report, &shape);
    report.training.verified = verified;
    ck_assert_int_eq(pp_gate_init(&gate, &options, &plan, &error), 0);
    int status = pp_gate_judge(&gate, &report, &options);
    ck_assert(status == PP_DONE || status == PP_CHECK_FAILED);
    *passed = status == PP_DONE;
    pp_gate_release(&gate);
    pp_report_release(&report);
    return access(path, F_OK) == 0;
}

START_TEST(only_what_passes_becomes_the_baseline)
{
    static const struct {
        int verified;
        const char *check;
        bool passes, written;
    } cases[] = {
        {-1, "bubble<0.5", true, true},  {1, "bubble<0.5", true, true},
        {0, "bubble<0.5", false, false}, {-1, "bubble<0.1", false, false},
        {1, "bubble<0.1", false, false},
    };
    bool passed;
    ck_assert(is_written(cases[_i].verified, cases[_i].check, &passed) ==
              cases[_i].written);
    ck_assert(passed == cases[_i].passes);
}
END_TEST

/* Judges a report of the wall clock in which rank 0 had such a share of its core. */
static int judge_share(double share, const char *check, bool force,
                       struct pp_error *error)
{
    struct fixture shared = shape;
    char *words[] = {(char *)"ppsim", NULL};
    struct pp_options options = {.argv = words, .force = force, .checks = {&check, 1}};
    struct pp_plan plan = {.schedule = {.ranks = shape.ranks}};
    struct pp_report report;
    struct pp_gate gate;
    *error = (struct pp_error){0};
    shared.core_share = share;
    fixture_report(&report, &shared);
    strcpy(report.environment.clock, "wall");
    ck_assert_int_eq(pp_gate_init(&gate, &options, &plan, error), 0);
    int status = pp_gate_judge(&gate, &report, &options);
    if (status == PP_BAD_INPUT) /* was printed: the reason */
        ck_assert_int_eq(pp_report_trust_times(&report, error), -1);
    pp_gate_release(&gate);
    pp_report_release(&report);
    return status;
}

START_TEST(times_on_a_shared_core_are_not_judged)
{
    static const char *const times[] = {"bubble<0.5", "makespan<1s", "tokens_per_s>0",
                                        "overhead<1"};
    struct pp_error error;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        ck_assert_int_eq(judge_share(0.89, times[i], false, &error), PP_BAD_INPUT);
        unit_expect_error(&error, PP_BAD_INPUT, "rank 0 had 89% of its core", "--force",
                          NULL);
        ck_assert_int_eq(judge_share(0.89, times[i], true, &error), 0);
        ck_assert_int_eq(judge_share(0.91, times[i], false, &error), 0);
        ck_assert_int_eq(judge_share(0, times[i], false, &error), 0);
    }
    ck_assert_int_eq(judge_share(0.5, "peak_in_flight<=4", false, &error), 0);
}
END_TEST

START_TEST(a_shell_reads_back_what_is_quoted)
{
    static const char *const words[] = {"printf", "%s\\n",        "--csv=a,b",
                                        "",       "it's",         "a b\t\n",
                                        "$HOME",  "caf\xc3\xa9'", "back\\slash"};
    enum { WORDS = sizeof words / sizeof *words };
    char *list[WORDS + 1] = {NULL}, *text = NULL, *read = NULL, *expected = NULL;
    size_t size, expected_size, room = 0;
    FILE *stream = open_memstream(&text, &size);
    FILE *wanted = open_memstream(&expected, &expected_size);
    for (int i = 0; i < WORDS; i++) {
        list[i] = (char *)words[i];
        if (i >= 2)
            fprintf(wanted, "%s\n", words[i]);
    }
    pp_quote_words(list, stream);
    fclose(stream);
    fclose(wanted);
    for (size_t i = 0; i < size; i++)
        ck_assert_msg(text[i] >= ' ' && text[i] <= '~', "byte %zu of %s", i, text);
    setenv("QUOTED", text, 1);
    FILE *shell = popen("bash -c \"$QUOTED\"", "r");
    ck_assert_ptr_nonnull(shell);
    ck_assert_int_gt(getdelim(&read, &room, '\0', shell), 0);
    ck_assert_int_eq(pclose(shell), 0);
    ck_assert_str_eq(read, expected);
    free(read);
    free(text);
    free(expected);
}
END_TEST

/* One stage on one of two ranks, the other of which has nothing to do. */
static void stage_on(struct pp_report *report, int rank)
{
    static struct pp_span spans[2];
    struct pp_error error = {0};
    struct pp_schedule *schedule = &report->schedule;
    *report = (struct pp_report){.timeline.spans = spans};
    ck_assert_int_eq(pp_schedule_init(schedule, 2, 1, 1, PP_CUSTOM, &error), 0);
    schedule->rank_of[0] = rank;
    pp_schedule_place(schedule);
    for (int r = 0; r < 2; r++) {
        pp_schedule_begin_rank(schedule, r);
        for (int kind = PP_F; r == rank && kind <= PP_B; kind++)
            pp_push(schedule, (enum pp_kind)kind, 0, 0);
    }
    ck_assert_int_eq(pp_schedule_end(schedule, &error), 0);
}

START_TEST(a_rank_that_lost_all_its_ops_is_named)
{
    struct pp_report before, after;
    char text[256] = "";
    stage_on(&before, _i);
    stage_on(&after, 1 - _i);
    ck_assert_int_eq(pp_where_reordered(&before, &after, "before", text, sizeof text),
                     0);
    ck_assert_str_eq(text, _i == 0 ? "rank 0 has 0 ops, before 2"
                                   : "rank 0 has 2 ops, before 0");
    text[0] = '\0';
    ck_assert_int_eq(pp_where_reordered(&after, &after, "before", text, sizeof text),
                     -1);
    ck_assert_str_eq(text, "");
    pp_schedule_release(&before.schedule);
    pp_schedule_release(&after.schedule);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gate");
    TCase *tests = tcase_create("gate");
    tcase_add_loop_test(tests, only_what_passes_becomes_the_baseline, 0, 5);
    tcase_add_test(tests, times_on_a_shared_core_are_not_judged);
    tcase_add_loop_test(tests, a_rank_that_lost_all_its_ops_is_named, 0, 2);
    tcase_add_test(tests, a_shell_reads_back_what_is_quoted);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
