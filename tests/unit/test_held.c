/* What a rank holds for its microbatches, over its ops. */
#include <stdlib.h>

#include "schedule/held.h"
#include "schedules/catalogue.h"
#include "unit.h"

enum { MOST_STAGES = 8 };

/* The peak where every stage holds the same. */
static double peak(const char *name, int ranks, int chunks, int microbatches, int rank,
                   struct pp_hold hold)
{
    struct pp_shape shape = {
        .ranks = ranks, .chunks = chunks, .microbatches = microbatches};
    struct pp_schedule schedule = {0};
    struct pp_error error = {0};
    struct pp_hold each[MOST_STAGES];
    double found;
    for (int s = 0; s < MOST_STAGES; s++)
        each[s] = hold;
    ck_assert_int_eq(
        pp_schedule_build(&schedule, pp_catalogue_find(name), &shape, &error), 0);
    ck_assert_int_le(schedule.stages, MOST_STAGES);
    ck_assert_int_eq(pp_peak_memory(&schedule, rank, each, &found, &error), 0);
    pp_schedule_release(&schedule);
    return found;
}

static const struct pp_hold alike = {1, 1};

/* Published: arXiv 1811.06965, 2104.04473, 2401.10241. */
START_TEST(counts_microbatches)
{
    for (int r = 0; r < 4; r++) {
        ck_assert_double_eq(peak("gpipe", 4, 1, 8, r, alike), 8);
        ck_assert_double_eq(peak("1f1b", 4, 1, 8, r, alike), 4 - r);
        ck_assert_double_eq(peak("zb-h1", 4, 1, 8, r, alike), 4);
        ck_assert_double_eq(peak("zb-v", 4, 2, 8, r, alike), 8);
    }
    ck_assert_double_eq(peak("interleaved-1f1b", 4, 2, 8, 0, alike), 11);
}
END_TEST

/* 2401.10241, Figure 3, zb-h1's last rank (B of the figure is I): F I F I F I F I W F I
 * W F I W F I W F I W W W W. Of four held, three wait for their W while the fourth has
 * run F. */
START_TEST(counts_what_waits_for_its_weights)
{
    ck_assert_double_eq(peak("zb-h1", 4, 1, 8, 3, (struct pp_hold){10, 4}), 10 + 3 * 4);
    ck_assert_double_eq(peak("zb-h1", 4, 1, 8, 3, (struct pp_hold){10, 0}), 10);
    /* On rank 0, which has run four F and then begins its first I, they all count. */
    ck_assert_double_eq(peak("zb-h1", 4, 1, 8, 0, (struct pp_hold){10, 4}), 40);
    /* W may need more than F has left: then I raises what is held. */
    ck_assert_double_eq(peak("zb-h1", 4, 1, 8, 3, (struct pp_hold){10, 11}), 44);
    ck_assert_double_eq(peak("1f1b", 4, 1, 8, 0, (struct pp_hold){10, 11}), 40);
}
END_TEST

/* Of what is computed again, one op at a time, on top of what all others hold. */
START_TEST(counts_what_is_computed_again)
{
    const struct pp_hold whole = {.forward = 1, .weight = 4, .again[PP_B] = 10};
    const struct pp_hold halves = {.forward = 1, .weight = 4, .again[PP_I] = 10};
    ck_assert_double_eq(peak("gpipe", 4, 1, 8, 2, whole), 8 + 10);
    for (int r = 0; r < 4; r++)
        ck_assert_double_eq(peak("1f1b", 4, 1, 8, r, whole), 4 - r + 10);
    /* The fourth I begins while three wait for their W. */
    ck_assert_double_eq(peak("zb-h1", 4, 1, 8, 3, halves), 1 + 10 + 3 * 4);
}
END_TEST

/* Thousands of parts that binary cannot write add up to no error. */
START_TEST(rounds_once)
{
    ck_assert_double_eq(peak("gpipe", 1, 1, 5000, 0, (struct pp_hold){0.1, 0.1}),
                        5000 * 0.1);
    ck_assert_double_eq(peak("zb-h1", 4, 1, 5000, 3, (struct pp_hold){0.7, 0.1}),
                        0.7 + 3 * 0.1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("held");
    TCase *all = tcase_create("held");
    tcase_add_test(all, counts_microbatches);
    tcase_add_test(all, counts_what_waits_for_its_weights);
    tcase_add_test(all, counts_what_is_computed_again);
    tcase_add_test(all, rounds_once);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
