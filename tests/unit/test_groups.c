#include "generate/groups.h"

#include "unit.h"

/* Stages that take a + k b, as one and `rows` rows give it. */
enum { STAGES = 4, ROWS = 8, SEQUENCES = 8 };

static void make(struct pp_stage_time *stages, double a, double k)
{
    for (int s = 0; s < STAGES; s++)
        stages[s] = (struct pp_stage_time){a + k, a + ROWS * k};
}

static double round_of(double a, double k, double hop, int groups)
{
    struct pp_stage_time stages[STAGES];
    make(stages, a, k);
    return pp_round_time(stages, STAGES, hop, ROWS, SEQUENCES, groups);
}

static int choose(double a, double k, double hop)
{
    struct pp_stage_time stages[STAGES];
    make(stages, a, k);
    return pp_choose_groups(stages, STAGES, hop, ROWS, SEQUENCES);
}

/* The forms that groups.h states: B tokens per round. */
START_TEST(a_round)
{
    ck_assert_double_eq_tol(round_of(1, 0, 0, 1), 4, 1e-12);
    ck_assert_double_eq_tol(round_of(1, 0, 0, 4), 4, 1e-12);
    ck_assert_double_eq_tol(round_of(1, 0, 0, 8), 8, 1e-12);
    for (int g = 1; g <= STAGES; g *= 2)
        ck_assert_double_eq_tol(round_of(3, 0.5, 0.25, g),
                                STAGES * (3 + 0.5 * SEQUENCES / g) + STAGES * 0.25,
                                1e-12);
    ck_assert_double_eq_tol(round_of(3, 0.5, 0.25, 8), 8 * 3.5, 1e-12);
    ck_assert_double_eq_tol(round_of(1, 0, 1, 6), 8, 1e-12);
}
END_TEST

/* One slow stage sets the pace of many groups, the sum that of few. */
START_TEST(stages_that_differ)
{
    const struct pp_stage_time stages[] = {{1, 1}, {3, 3}, {2, 2}};
    ck_assert_double_eq_tol(pp_round_time(stages, 3, 0.5, 1, 6, 1), 7.5, 1e-12);
    ck_assert_double_eq_tol(pp_round_time(stages, 3, 0.5, 1, 6, 3), 9, 1e-12);
    ck_assert_int_eq(pp_choose_groups(stages, 3, 0.5, 1, 6), 1);
}
END_TEST

START_TEST(choices)
{
    /* All of it is reading weights: more groups bring nothing. */
    ck_assert_int_eq(choose(1, 0, 0), 1);
    /* None of it is: as many groups as stages, or more where hops are long. */
    ck_assert_int_eq(choose(0, 1, 0), 4);
    ck_assert_int_eq(choose(0, 1, 1), 8);
    /* A twentieth of it for each row: one group costs 1.4, two 1.2, four 1.1. */
    ck_assert_int_eq(choose(1, 0.05, 0), 4);
    /* Within what is alike. */
    ck_assert_int_eq(choose(1, 0.002, 0), 1);
    const struct pp_stage_time one = {1, 8};
    ck_assert_int_eq(pp_choose_groups(&one, 1, 0, 8, 8), 1);
    ck_assert_int_eq(pp_choose_groups(&one, 1, 0, 1, 1), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("groups");
    TCase *tests = tcase_create("groups");
    tcase_add_test(tests, a_round);
    tcase_add_test(tests, stages_that_differ);
    tcase_add_test(tests, choices);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
