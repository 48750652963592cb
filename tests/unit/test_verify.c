/* The judge: each rule, broken once. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "schedule/verify.h"
#include "unit.h"

/* An op as text puts it; '+' joins it with the next. */
static void push(struct pp_schedule *schedule, const char *text)
{
    unsigned stage, microbatch;
    char letter;
    ck_assert_int_eq(sscanf(text, "%u%c%u", &stage, &letter, &microbatch), 3);
    enum pp_kind kind = (enum pp_kind)(strchr("FBIW", letter) - "FBIW");
    pp_push(schedule, kind, (int)stage, (int)microbatch);
    if (strchr(text, '+'))
        pp_join(schedule);
}

/* Judges a schedule given as the ops of each rank. */
static int judge(int stages, int microbatches, const char *const *ranks,
                 struct pp_error *error)
{
    struct pp_schedule schedule;
    int count = 0;
    while (ranks[count])
        count++;
    ck_assert_int_eq(
        pp_schedule_init(&schedule, count, stages, microbatches, PP_LOOP, error), 0);
    strcpy(schedule.name, "test");
    for (int r = 0; r < count; r++) {
        char text[256];
        strcpy(text, ranks[r]);
        pp_schedule_begin_rank(&schedule, r);
        for (char *op = strtok(text, " "); op; op = strtok(NULL, " "))
            push(&schedule, op);
    }
    ck_assert_int_eq(pp_schedule_end(&schedule, error), 0);
    int result = pp_verify(&schedule, schedule.name, error);
    pp_schedule_release(&schedule);
    return result;
}

struct wrong {
    const char *ranks[4];
    int stages, microbatches;
    const char *message;
};

static const struct wrong wrongs[] = {
    {{"0F0 0F0 0B0"},
     1,
     1,
     "'test', rank 0, op 2 (0F0): appears twice: each op runs "
     "once"},
    {{"0F0"},
     1,
     1,
     "'test', rank 0: the B, or I and W, of stage 0, microbatch 0 is "
     "missing"},
    {{"0F0 0I0"}, 1, 1, "'test', rank 0: the W of stage 0, microbatch 0 is missing"},
    {{"0F0 0B0 0F1"},
     1,
     1,
     "'test', rank 0, op 3 (0F1): no such microbatch: they are 0 "
     "to 0"},
    {{"0F0 0B0 1F0"},
     1,
     1,
     "'test', rank 0, op 3 (1F0): no such stage: they are 0 to "
     "0"},
    {{"0F0 1F0 0B0", "1B0"},
     2,
     1,
     "'test', rank 0, op 2 (1F0): stage 1 is on rank 1\n"
     "'test', rank 1, op 1 (1B0): a backward must come "
     "after its F on the same rank\n"
     "'test', rank 1: the F of stage 1, microbatch 0 is "
     "missing"},
    {{"0F0 0W0 0I0"},
     1,
     1,
     "'test', rank 0, op 2 (0W0): a W must come after its I on "
     "the same rank"},
    {{"0F0 0B0 0I0"},
     1,
     1,
     "'test', rank 0, op 3 (0I0): an I after a whole backward: "
     "use either B, or I then W\n"
     "'test', rank 0: the W of stage 0, microbatch 0 is missing"},
    {{"0F0 0I0 0W0 0B0"},
     1,
     1,
     "'test', rank 0, op 4 (0B0): a whole backward beside an "
     "I or W: use either B, or I then W"},
    {{"0F0+ 0F1 0B0 0B1"},
     1,
     2,
     "'test', rank 0, op 1 (0F0): an overlapped pair is a "
     "forward and a backward (B or I) that do not need each "
     "other"},
    {{"0F0+ 0B0"},
     1,
     1,
     "'test', rank 0, op 1 (0F0): an overlapped pair is a forward "
     "and a backward (B or I) that do not need each other"},
    {{"0F0 0B0+"},
     1,
     1,
     "'test', rank 0, op 2 (0B0): an overlapped pair is a forward "
     "and a backward (B or I) that do not need each other"},
    {{"0F0 0B0 0F1 0B1", "1F1 1B1 1F0 1B0"},
     2,
     2,
     "'test' blocks: these ranks wait in a cycle:\n"
     "'test', rank 0, op 2 (0B0): waits for the backward of stage 1, microbatch 0, "
     "which "
     "comes later on rank 1\n"
     "'test', rank 1, op 1 (1F1): waits for the forward of stage 0, microbatch 1, "
     "which "
     "comes later on rank 0"},
    /* A rank that waits for itself: two stages, out of order. */
    {{"1F0 0F0 1B0 0B0"},
     2,
     1,
     "'test' blocks: these ranks wait in a cycle:\n"
     "'test', rank 0, op 1 (1F0): waits for the forward of stage 0, microbatch 0, "
     "which "
     "comes later on rank 0"},
    /* The second of a pair waits: the first could run alone. */
    {{"0F0 0F1+ 0B0 0B1", "1F0 1F1 1B0 1B1"},
     2,
     2,
     "'test' blocks: these ranks wait in a cycle:\n"
     "'test', rank 0, op 3 (0B0): waits for the backward of stage 1, microbatch 0, "
     "which "
     "comes later on rank 1\n"
     "'test', rank 1, op 2 (1F1): waits for the forward of stage 0, microbatch 1, "
     "which "
     "comes later on rank 0"},
};

START_TEST(each_rule)
{
    const struct wrong *wrong = &wrongs[_i];
    struct pp_error error = {0};
    ck_assert_int_eq(judge(wrong->stages, wrong->microbatches, wrong->ranks, &error),
                     -1);
    ck_assert_int_eq(error.status, PP_BAD_INPUT);
    ck_assert_str_eq(error.text, wrong->message);
}
END_TEST

START_TEST(valid_schedules)
{
    struct pp_error error = {0};
    const char *const halves[] = {"0F0 0F1 0I0 0B1 0W0", NULL};
    const char *const joined[] = {"0F0 0F1 0B0 0B1", "1F0 1F1+ 1B0 1B1", NULL};
    ck_assert_msg(judge(1, 2, halves, &error) == 0, "%s", error.text);
    ck_assert_msg(judge(2, 2, joined, &error) == 0, "%s", error.text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tcase = tcase_create("verify");
    tcase_add_loop_test(tcase, each_rule, 0, sizeof wrongs / sizeof wrongs[0]);
    tcase_add_test(tcase, valid_schedules);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
