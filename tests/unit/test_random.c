#include "base/random.h"

#include "unit.h"

/* The first outputs of SplitMix64 from the state 1234567, as its authors' code gives
 * them (https://prng.di.unimi.it/splitmix64.c). */
START_TEST(mix_is_splitmix64)
{
    const uint64_t expected[] = {6457827717110365317u, 3203168211198807973u,
                                 9817491932198370423u, 4593380528125082431u,
                                 16408922859458223821u};
    for (uint64_t i = 0; i < 5; i++)
        ck_assert_uint_eq(pp_mix(1234567 + i * 0x9e3779b97f4a7c15u), expected[i]);
}
END_TEST

START_TEST(every_argument_matters)
{
    uint64_t base = pp_random(1, 2, 3);
    ck_assert_uint_eq(base, pp_random(1, 2, 3));
    ck_assert_uint_ne(base, pp_random(2, 2, 3));
    ck_assert_uint_ne(base, pp_random(1, 3, 3));
    ck_assert_uint_ne(base, pp_random(1, 2, 4));
    ck_assert_uint_ne(base, pp_random(2, 1, 3));
    ck_assert_uint_ne(base, pp_random(1, 3, 2));
}
END_TEST

START_TEST(uniform_leaves_out_both_ends)
{
    ck_assert_double_gt(pp_uniform(0), 0.0);
    ck_assert_double_lt(pp_uniform(UINT64_MAX), 1.0);
    ck_assert_double_eq_tol(pp_uniform(UINT64_MAX / 2), 0.5, 1e-15);
}
END_TEST

START_TEST(uniform_has_the_moments)
{
    enum { COUNT = 1 << 16 };
    double sum = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) {
        double x = pp_uniform(pp_random(7, 0, (uint64_t)i));
        sum += x;
        squares += x * x;
    }
    /* Five standard deviations of a mean of COUNT. */
    ck_assert_double_eq_tol(sum / COUNT, 0.5, 5 * 0.2887 / 256);
    ck_assert_double_eq_tol(squares / COUNT, 1 / 3.0, 5 * 0.2981 / 256);
}
END_TEST

/* Of a standard normal: mean, variance, and that both coordinates are one. */
START_TEST(normals_have_the_moments)
{
    enum { COUNT = 1 << 16 };
    double sum[2] = {0}, squares[2] = {0}, product = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pp_normals pair = pp_normals(pp_random(7, 0, i), pp_random(7, 1, i));
        double x[2] = {pair.radius * cos(pair.angle), pair.radius * sin(pair.angle)};
        for (int k = 0; k < 2; k++) {
            sum[k] += x[k];
            squares[k] += x[k] * x[k];
        }
        product += x[0] * x[1];
    }
    /* Five standard deviations of a mean of COUNT: of x 1, of x^2 sqrt(2), of xy 1. */
    for (int k = 0; k < 2; k++) {
        ck_assert_double_eq_tol(sum[k] / COUNT, 0, 5.0 / 256);
        ck_assert_double_eq_tol(squares[k] / COUNT, 1, 5 * 1.4143 / 256);
    }
    ck_assert_double_eq_tol(product / COUNT, 0, 5.0 / 256);
}
END_TEST

START_TEST(below_stays_below)
{
    for (uint64_t bound = 1; bound < 300; bound++) {
        ck_assert_uint_eq(pp_below(0, bound), 0);
        ck_assert_uint_eq(pp_below(UINT64_MAX, bound), bound - 1);
    }
    ck_assert_uint_eq(pp_below(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
}
END_TEST

START_TEST(below_is_even)
{
    enum { BOUND = 7, COUNT = 70000 };
    int hits[BOUND] = {0};
    for (int i = 0; i < COUNT; i++)
        hits[pp_below(pp_random(3, 1, (uint64_t)i), BOUND)]++;
    for (int i = 0; i < BOUND; i++) {
        ck_assert_int_gt(hits[i], COUNT / BOUND - 500);
        ck_assert_int_lt(hits[i], COUNT / BOUND + 500);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random");
    TCase *tests = tcase_create("random");
    tcase_add_test(tests, mix_is_splitmix64);
    tcase_add_test(tests, every_argument_matters);
    tcase_add_test(tests, uniform_leaves_out_both_ends);
    tcase_add_test(tests, uniform_has_the_moments);
    tcase_add_test(tests, normals_have_the_moments);
    tcase_add_test(tests, below_stays_below);
    tcase_add_test(tests, below_is_even);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
