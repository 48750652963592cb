/* Schedules that decode: the judge's rules, each broken once, and times small enough to
 * count by hand. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/held.h"
#include "schedule/verify.h"
#include "simulate/simulate.h"
#include "timeline/metrics.h"
#include "unit.h"

enum { MOST = 6 };

/* A schedule as a test writes it: the microbatches in the order of each rank. */
struct text {
    const char *ranks[4]; /* ops such as "0F1", one rank a stage */
    int microbatches, classes;
    int after[MOST], group[MOST], of_class[MOST];
    struct pp_class class_list[2];
    const char *message;
};

static void build(const struct text *text, struct pp_schedule *schedule)
{
    struct pp_error error = {0};
    const struct pp_decoding decoding = {
        .after = text->after,
        .group_of = text->group,
        .class_of = text->of_class,
        .classes = text->class_list,
        .class_count = text->classes,
    };
    int ranks = 0;
    while (text->ranks[ranks])
        ranks++;
    ck_assert_int_eq(
        pp_schedule_init(schedule, ranks, ranks, text->microbatches, PP_LOOP, &error),
        0);
    strcpy(schedule->name, "test");
    ck_assert_int_eq(pp_schedule_decode(schedule, &decoding, &error), 0);
    for (int r = 0; r < ranks; r++) {
        const char *at = text->ranks[r];
        unsigned stage, microbatch;
        char letter;
        int length;
        pp_schedule_begin_rank(schedule, r);
        while (sscanf(at, " %u%c%u%n", &stage, &letter, &microbatch, &length) == 3) {
            enum pp_kind kind = (enum pp_kind)(strchr("FBIW", letter) - "FBIW");
            pp_push(schedule, kind, (int)stage, (int)microbatch);
            at += length;
        }
    }
    ck_assert_int_eq(pp_schedule_end(schedule, &error), 0);
}

#define DECODE(rows) .classes = 1, .class_list = {{"decode", rows}}

static const struct text wrongs[] = {
    {{"0F0 0B0"},
     1,
     DECODE(1),
     .after = {-1},
     .message = "'test', rank 0, op 2 (0B0): a schedule that decodes has forwards "
                "alone"},
    {{"0F0 0F0"},
     1,
     DECODE(1),
     .after = {-1},
     .message = "'test', rank 0, op 2 (0F0): appears twice: each op runs once"},
    {{"0F0"},
     2,
     DECODE(1),
     .after = {-1, 0},
     .message = "'test', rank 0: the F of stage 0, microbatch 1 is missing"},
    {{"0F0 0F2 0F1"},
     3,
     DECODE(1),
     .after = {-1, -1, -1},
     .message = "'test', rank 0, op 3 (0F1): comes after a later microbatch of its "
                "group: those of one group ascend on each stage"},
    {{"0F0 0F1"},
     2,
     DECODE(1),
     .after = {-1, 2},
     .message = "'test': microbatch 1 begins with the tokens of a microbatch that is "
                "not there: 2"},
    {{"0F0 0F1"},
     2,
     DECODE(1),
     .after = {-1, 1},
     .message = "'test': microbatch 1 begins with its own tokens: of an earlier one, "
                "not of 1"},
    {{"0F0 0F1 0F2"},
     3,
     DECODE(1),
     .after = {-1, 0, 0},
     .message = "'test': microbatch 2 is not the only one that begins with the tokens "
                "of 0"},
    {{"0F0"},
     1,
     DECODE(1),
     .after = {-1},
     .of_class = {1},
     .message = "'test': microbatch 0 has a class that is not there: 1"},
    {{"0F0"},
     1,
     DECODE(1),
     .after = {-1},
     .group = {1},
     .message = "'test': microbatch 0 has a group that is not from 0 to the number of "
                "microbatches - 1: 1"},
    {{"0F0"},
     1,
     DECODE(0),
     .after = {-1},
     .message = "'test': class 0 is 'decode' of 0 rows: want 'prefill' or 'decode' of "
                "at least 1"},
    /* Group 1's second token comes before its first has gone round. */
    {{"0F0 0F1 0F3 0F2", "1F0 1F2 1F1 1F3"},
     4,
     DECODE(1),
     .after = {-1, -1, 0, 1},
     .group = {0, 1, 0, 1},
     .message = "'test' blocks: these ranks wait in a cycle:\n"
                "'test', rank 0, op 3 (0F3): waits for the tokens that it begins with, "
                "from the forward of stage 1, microbatch 1, which comes later on rank "
                "1\n"
                "'test', rank 1, op 2 (1F2): waits for the forward of stage 0, "
                "microbatch 2, which comes later on rank 0"},
    /* A rank that waits for itself. */
    {{"0F0 0F1"},
     2,
     DECODE(1),
     .after = {1, -1},
     .group = {0, 1},
     .message = "'test' blocks: these ranks wait in a cycle:\n"
                "'test', rank 0, op 1 (0F0): waits for the tokens that it begins with, "
                "from the forward of stage 0, microbatch 1, which comes later on rank "
                "0"},
};

START_TEST(each_rule)
{
    struct pp_schedule schedule;
    struct pp_error error = {0};
    build(&wrongs[_i], &schedule);
    ck_assert_int_eq(pp_verify(&schedule, schedule.name, &error), -1);
    ck_assert_int_eq(error.status, PP_BAD_INPUT);
    ck_assert_str_eq(error.text, wrongs[_i].message);
    pp_schedule_release(&schedule);
}
END_TEST

/* Two ranks, one group: a piece of a prompt of 8 rows, then two tokens of 2 rows. */
static const struct text round_trip = {
    {"0F0 0F1 0F2", "1F0 1F1 1F2"},
    3,
    .classes = 2,
    .class_list = {{"prefill", 8}, {"decode", 2}},
    .after = {-1, 0, 1},
    .of_class = {0, 1, 1},
};

struct times {
    struct pp_schedule schedule;
    struct pp_costs costs;
    struct pp_timeline timeline;
    struct pp_metrics metrics;
};

static void simulate(const struct text *text, struct times *times)
{
    struct pp_error error = {0};
    *times = (struct times){0};
    build(text, &times->schedule);
    ck_assert_msg(pp_verify(&times->schedule, "test", &error) == 0, "%s", error.text);
    ck_assert_int_eq(pp_costs_init(&times->costs, times->schedule.stages, &error), 0);
    ck_assert_int_eq(pp_costs_classify(&times->costs, &times->schedule, &error), 0);
    for (int c = 0; c < times->schedule.class_count; c++) {
        for (int s = 0; s < times->schedule.stages; s++)
            pp_costs_of(&times->costs, c, s)[PP_F] = c == 0 ? 100 : 10;
    }
    times->costs.near.latency = 5;
    times->costs.near.bandwidth = 1e9; /* a byte takes 1 ns */
    times->costs.message_bytes = 3;    /* of a row */
    ck_assert_int_eq(pp_timeline_init(&times->timeline, &times->schedule, &error), 0);
    ck_assert_int_eq(
        pp_simulate(&times->schedule, &times->costs, 0, &times->timeline, &error), 0);
    ck_assert_int_eq(pp_metrics_init(&times->metrics, &times->timeline, &error), 0);
}

static void release(struct times *times)
{
    pp_metrics_release(&times->metrics);
    pp_timeline_release(&times->timeline);
    pp_costs_release(&times->costs);
    pp_schedule_release(&times->schedule);
}

START_TEST(tokens_go_back)
{
    struct times times;
    simulate(&round_trip, &times);
    const struct pp_span *spans = times.timeline.spans;
    /* On with 5 + 3 * 8, back with 5 + 4 * 2, on with 5 + 3 * 2, back with 5 + 4 * 2.
     */
    int64_t prefilled = 100 + 29 + 100, token = prefilled + 13;
    ck_assert_int_eq(spans[1].ready, prefilled);
    ck_assert_int_eq(spans[1].arrived, token);
    ck_assert_int_eq(spans[1].start, token);
    ck_assert_int_eq(spans[4].start, token + 10 + 11);
    ck_assert_int_eq(spans[2].start, token + 10 + 11 + 10 + 13);
    ck_assert_int_eq(times.metrics.makespan, spans[2].start + 10 + 11 + 10);
    ck_assert_int_eq(times.metrics.of_rank[0].causes.communication, 13 + 13);
    ck_assert_int_eq(times.metrics.of_rank[0].causes.dependency, 129 + 21);
    release(&times);
}
END_TEST

/* Overheads are the sender's and the receiver's, on the way back too; what nobody
 * begins with is not sent; a serialised link takes one message after the other. */
START_TEST(links_back)
{
    struct times times;
    simulate(&round_trip, &times);
    struct pp_error error = {0};
    const struct pp_span *spans = times.timeline.spans;
    times.costs.near.sender = 1;
    times.costs.near.receiver = 2;
    times.costs.near.serialise = true;
    ck_assert_int_eq(
        pp_simulate(&times.schedule, &times.costs, 0, &times.timeline, &error), 0);
    int64_t prefilled = 100 + 1 + 29 + 2 + 100, token = prefilled + 1 + 13 + 2;
    ck_assert_int_eq(spans[1].arrived, token - 2);
    ck_assert_int_eq(spans[1].start, token);
    ck_assert_int_eq(spans[2].start, token + 10 + 1 + 11 + 2 + 10 + 1 + 13 + 2);
    release(&times);
}
END_TEST

/* One rank: the tokens need no message. */
START_TEST(alone)
{
    static const struct text text = {
        {"0F0 0F1 0F2"}, 3, DECODE(4), .after = {-1, 0, 1}, .group = {0}};
    struct times times;
    simulate(&text, &times);
    ck_assert_int_eq(times.metrics.makespan, 300);
    ck_assert_int_eq(times.metrics.idle, 0);
    release(&times);
}
END_TEST

/* An op holds its activations until its own end. */
START_TEST(nothing_is_kept)
{
    struct times times;
    struct pp_error error = {0};
    const struct pp_hold hold[] = {{.forward = 3}, {.forward = 4}};
    double peak;
    simulate(&round_trip, &times);
    ck_assert_int_eq(times.metrics.of_rank[0].peak_in_flight, 1);
    ck_assert_int_eq(pp_peak_memory(&times.schedule, 1, hold, &peak, &error), 0);
    ck_assert(peak == 4);
    release(&times);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decoding");
    TCase *tcase = tcase_create("decoding");
    tcase_add_loop_test(tcase, each_rule, 0, sizeof wrongs / sizeof wrongs[0]);
    tcase_add_test(tcase, tokens_go_back);
    tcase_add_test(tcase, links_back);
    tcase_add_test(tcase, alone);
    tcase_add_test(tcase, nothing_is_kept);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
