/* The shift between the steps of two runs: against tables and brute force, and how
 * often it claims what is not there, and sees what is, over thousands of seeded pairs.
 */
#include "timeline/shift.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "unit.h"

/* That of `ppsim compare` for each figure. */
static const double level = 0.01 / 3;

/* Mann & Whitney's U at and below which two samples differ, as tables have it, -1 where
 * there is none: two-sided, of 5 % and of 1 %. */
START_TEST(cuts_are_those_of_the_tables)
{
    static const struct {
        int n, m, of_5, of_1;
    } table[] = {{3, 3, -1, -1},  {4, 4, 0, -1},    {5, 5, 2, 0},      {5, 8, 6, 2},
                 {6, 6, 5, 2},    {8, 8, 13, 7},    {8, 10, 17, 11},   {10, 10, 23, 16},
                 {12, 9, 26, 18}, {15, 15, 64, 51}, {20, 20, 127, 105}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int n = table[i].n, m = table[i].m;
        ck_assert_double_eq(pp_shift_cut(n, m, 0.025), table[i].of_5 + 1);
        ck_assert_double_eq(pp_shift_cut(m, n, 0.005), table[i].of_1 + 1);
    }
}
END_TEST

/* Every way in which n of n + m places can be taken is as likely. */
START_TEST(cuts_are_those_of_all_orders)
{
    static const double chances[] = {0.5, 0.1, 0.025, 0.005, 0.001};
    for (int n = 1; n <= 7; n++) {
        for (int m = 1; m <= 7; m++) {
            double ways[50] = {0}, all = 0;
            for (unsigned taken = 0; taken < 1u << (n + m); taken++) {
                int others = 0, u = 0;
                if (__builtin_popcount(taken) != n)
                    continue;
                for (int i = 0; i < n + m; i++) {
                    others += !(taken >> i & 1);
                    u += taken >> i & 1 ? others : 0;
                }
                ways[u]++;
                all++;
            }
            for (size_t c = 0; c < sizeof chances / sizeof *chances; c++) {
                int cut = 0;
                for (double sum = ways[0]; sum <= chances[c] * all; sum += ways[cut])
                    cut++;
                ck_assert_double_eq(pp_shift_cut(n, m, chances[c]), cut);
            }
        }
    }
}
END_TEST

/* Where the normal distribution takes over, both agree to a tenth of a deviation. */
START_TEST(cuts_go_on_by_the_normal_distribution)
{
    double exact = pp_shift_cut(50, 50, 0.005), next = pp_shift_cut(50, 51, 0.005);
    double deviation = sqrt(50 * 51 * 102 / 12.0);
    ck_assert_double_gt(next, exact);
    ck_assert_double_le(next - exact, 25 + 0.1 * deviation);
    /* 125000 - 2.575829 * 4566.636 + 0.5 */
    ck_assert_double_eq(pp_shift_cut(500, 500, 0.005), 113237);
}
END_TEST

/* One of two independent normal deviates. */
static double normal(uint64_t stream, uint64_t counter)
{
    struct pp_normals pair = pp_normals(pp_random(5, stream, 2 * counter),
                                        pp_random(5, stream, 2 * counter + 1));
    return pair.radius * cos(pair.angle);
}

static struct pp_shift shift_of(const double *before, int n, const double *after, int m)
{
    struct pp_error error = {0};
    struct pp_shift shift;
    ck_assert_int_eq(pp_shift_of(before, n, after, m, level, &shift, &error), 0);
    return shift;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* From the quartiles; sorts. */
static double sigma(double *values, int count)
{
    double of[2];
    qsort(values, (size_t)count, sizeof *values, ascending);
    for (int i = 0; i < 2; i++) {
        double place = (i == 0 ? 0.25 : 0.75) * (count - 1);
        int k = (int)floor(place);
        of[i] = values[k] + (place - k) * (values[(int)ceil(place)] - values[k]);
    }
    return (of[1] - of[0]) / 1.349;
}

/* With many equal values and none. */
START_TEST(the_interval_is_made_of_sorted_differences)
{
    enum { MOST = 20 };
    for (uint64_t trial = 0; trial < 2000; trial++) {
        int n = 1 + (int)pp_below(pp_random(1, trial, 0), MOST), count = 0;
        int m = 1 + (int)pp_below(pp_random(1, trial, 1), MOST);
        double before[MOST], after[MOST], differences[MOST * MOST];
        uint64_t different = trial % 2 ? 5 : 1 << 30;
        for (int i = 0; i < MOST; i++) {
            before[i] =
                (double)pp_below(pp_random(2, trial, (uint64_t)i), different) * 0.125;
            after[i] =
                (double)pp_below(pp_random(3, trial, (uint64_t)i), different) * 0.125;
        }
        for (int i = 0; i < n * m; i++)
            differences[count++] = after[i % m] - before[i / m];
        qsort(differences, (size_t)count, sizeof *differences, ascending);
        struct pp_shift shift = shift_of(before, n, after, m);
        ck_assert_double_eq(
            shift.shift, (differences[(count - 1) / 2] + differences[count / 2]) / 2);
        ck_assert(shift.enough == (pp_shift_cut(n, m, level / 2) > 0));
        if (!shift.enough) {
            ck_assert(isinf(shift.low) && isinf(shift.high) && !shift.claimed);
            continue;
        }
        /* 2.935199 is exceeded, either way, in 1 of 300. */
        double z = 2.935199469 * sqrt(shift.inflation);
        int cut = (int)pp_shift_cut(n, m, erfc(z / sqrt(2)) / 2);
        cut = cut > 1 ? cut : 1;
        double run =
            2.935199469 * PP_SHIFT_RUN * hypot(sigma(before, n), sigma(after, m));
        double below = hypot(shift.shift - differences[cut - 1], run);
        double above = hypot(differences[count - cut] - shift.shift, run);
        ck_assert_double_eq_tol(shift.low, shift.shift - below, 1e-7 * below);
        ck_assert_double_eq_tol(shift.high, shift.shift + above, 1e-7 * above);
        ck_assert(shift.claimed == (shift.low > 0 || shift.high < 0));
    }
}
END_TEST

/* How runs of steps come about: normal, now and then much longer, each step like the
 * one before, or a whole run off. */
enum noise { NORMAL, OUTLIERS, ALIKE, DRIFT, OF_RUNS };

static void make_steps(double *steps, int count, enum noise noise, uint64_t stream)
{
    double rho = noise == DRIFT ? 0.6 : 0.3;
    double last = normal(stream, 999);
    double run = noise == OF_RUNS ? PP_SHIFT_RUN * normal(stream, 998) : 0;
    for (int i = 0; i < count; i++) {
        double deviate = normal(stream, (uint64_t)i);
        if (noise == DRIFT || noise == ALIKE)
            deviate = last = rho * last + sqrt(1 - rho * rho) * deviate;
        if (noise == OUTLIERS && pp_random(6, stream, (uint64_t)i) % 8 == 0)
            deviate = 10 + 5 * fabs(deviate);
        steps[i] = 100 + run + deviate;
    }
}

static int claims(int n, int m, enum noise noise, double slower, int pairs)
{
    double *steps = malloc((size_t)(n + m) * sizeof *steps);
    int claimed = 0;
    for (int pair = 0; pair < pairs; pair++) {
        make_steps(steps, n, noise, 2 * (uint64_t)pair);
        make_steps(steps + n, m, noise, 2 * (uint64_t)pair + 1);
        for (int i = n; i < n + m; i++)
            steps[i] *= slower;
        claimed += shift_of(steps, n, steps + n, m).claimed;
    }
    free(steps);
    return claimed;
}

/* With steps like the one before (rho 0.6), fewer than about thirty do not say how
 * alike they are, so the promise is made for those from there on. */
START_TEST(equals_are_claimed_to_differ_in_less_than_one_of_a_hundred)
{
    enum { PAIRS = 2000 };
    static const struct {
        int n, m;
        enum noise noise;
    } cases[] = {{6, 6, NORMAL},     {6, 6, OUTLIERS},   {8, 8, NORMAL},
                 {8, 8, OUTLIERS},   {8, 8, ALIKE},      {8, 28, NORMAL},
                 {10, 10, NORMAL},   {10, 10, OUTLIERS}, {10, 10, ALIKE},
                 {28, 28, OUTLIERS}, {28, 28, ALIKE},    {58, 58, DRIFT},
                 {28, 28, OF_RUNS},  {100, 100, OF_RUNS}};
    ck_assert_int_lt(100 * claims(cases[_i].n, cases[_i].m, cases[_i].noise, 1, PAIRS),
                     PAIRS);
}
END_TEST

/* 5 % slower, 1 % of noise. In the pairs missed two steps overlap that are 4 deviations
 * off, and neighbours happen to be alike. */
START_TEST(five_percent_are_found)
{
    enum { PAIRS = 2000 };
    ck_assert_int_ge(1000 * claims(10, 10, NORMAL, 1.05, PAIRS), 995 * PAIRS);
    ck_assert_int_eq(claims(28, 28, NORMAL, 1.05, PAIRS), PAIRS);
    ck_assert_int_eq(claims(10, 10, NORMAL, 1.13, PAIRS), PAIRS);
}
END_TEST

/* What is said to be seen 9 times in 10 is. */
START_TEST(as_small_a_shift_is_seen_as_is_said)
{
    enum { PAIRS = 1000, STEPS = 28 };
    double steps[2 * STEPS], seen = 0;
    for (uint64_t pair = 0; pair < PAIRS; pair++) {
        make_steps(steps, STEPS, OF_RUNS, 2 * pair);
        make_steps(steps + STEPS, STEPS, OF_RUNS, 2 * pair + 1);
        seen += shift_of(steps, STEPS, steps + STEPS, STEPS).seen / PAIRS;
    }
    int claimed = claims(STEPS, STEPS, OF_RUNS, 1 + seen / 100, PAIRS);
    ck_assert_int_gt(claimed, PAIRS * 85 / 100);
    ck_assert_int_lt(claimed, PAIRS * 99 / 100);
}
END_TEST

START_TEST(too_few_steps_never_claim)
{
    const double before[] = {1, 2, 3, 4, 5}, after[] = {101, 102, 103, 104, 105};
    for (int n = 1; n <= 5; n++) {
        struct pp_shift shift = shift_of(before, n, after, n);
        ck_assert(!shift.enough && !shift.claimed && isinf(shift.seen));
        ck_assert_double_eq(shift.shift, 100);
    }
}
END_TEST

START_TEST(steps_that_are_alike_count_as_fewer)
{
    enum { STEPS = 40 };
    double steps[2 * STEPS];
    for (int i = 0; i < 2 * STEPS; i++) /* up, at the same pace, in both */
        steps[i] = i % STEPS;
    ck_assert_double_gt(shift_of(steps, STEPS, steps + STEPS, STEPS).inflation, 20);
    for (int i = 0; i < 2 * STEPS; i++) /* up and down: worth no more than they are */
        steps[i] = i % 2;
    ck_assert_double_eq(shift_of(steps, STEPS, steps + STEPS, STEPS).inflation, 1);
}
END_TEST

START_TEST(medians_differ_by_their_spread)
{
    /* sigma = 3.2897 / 3.2897; the variance of each 1.2533^2 / 25 + PP_SHIFT_RUN^2. */
    const struct pp_spread before = {10, 9, 12.2897, 25};
    struct pp_spread after = before;
    double half = 2.575829303548901 *
                  sqrt(2 * (1.2533 * 1.2533 / 25 + PP_SHIFT_RUN * PP_SHIFT_RUN));
    after.median = 10 + 0.999 * half;
    struct pp_shift shift = pp_median_shift(&before, &after, 0.01);
    ck_assert(!shift.claimed);
    ck_assert_double_eq_tol(shift.high - shift.shift, half, 1e-9);
    after.median = 10 + 1.001 * half;
    ck_assert(pp_median_shift(&before, &after, 0.01).claimed);
    const struct pp_spread exact = {1, 1, 1, 1}, other = {1.001, 1.001, 1.001, 1};
    ck_assert(!pp_median_shift(&exact, &exact, 0.01).claimed);
    ck_assert(pp_median_shift(&exact, &other, 0.01).claimed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shift");
    TCase *tests = tcase_create("shift");
    tcase_add_test(tests, cuts_are_those_of_the_tables);
    tcase_add_test(tests, cuts_are_those_of_all_orders);
    tcase_add_test(tests, cuts_go_on_by_the_normal_distribution);
    tcase_add_test(tests, the_interval_is_made_of_sorted_differences);
    tcase_add_loop_test(
        tests, equals_are_claimed_to_differ_in_less_than_one_of_a_hundred, 0, 14);
    tcase_add_test(tests, five_percent_are_found);
    tcase_add_test(tests, as_small_a_shift_is_seen_as_is_said);
    tcase_add_test(tests, too_few_steps_never_claim);
    tcase_add_test(tests, steps_that_are_alike_count_as_fewer);
    tcase_add_test(tests, medians_differ_by_their_spread);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
