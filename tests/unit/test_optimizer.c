#include "model/optimizer.h"

#include <math.h>
#include <string.h>

#include "unit.h"

static const struct pp_optimizer adamw = {.kind = PP_ADAMW,
                                          .lr = 1e-2,
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-8,
                                          .weight_decay = 0.01};

/* Step 1, by hand: the corrected moments are g and g^2, so that the update is
 * lr * sign(g), after the decay. */
START_TEST(first_step_of_adamw_is_the_sign)
{
    float w[2] = {1, -2}, g[2] = {0.25f, -3}, first[2] = {0}, second[2] = {0};
    pp_optimizer_step(&adamw, 1, 1, 2, w, g, first, second);
    ck_assert_float_eq_tol(w[0], 1 * (1 - 1e-4f) - 1e-2f, 1e-6);
    ck_assert_float_eq_tol(w[1], -2 * (1 - 1e-4f) + 1e-2f, 1e-6);
    ck_assert_float_eq_tol(first[0], 0.025f, 1e-8);
    ck_assert_float_eq_tol(second[1], 0.009f, 1e-8);
}
END_TEST

/* Algorithm 2 of the paper in double, element by element, over several steps; counts
 * around the width of vectors; an epsilon large enough to show where it stands. */
START_TEST(adamw_follows_the_paper)
{
    enum { MOST = 37, STEPS = 20 };
    struct pp_optimizer optimizer = adamw;
    optimizer.epsilon = 1e-2;
    int count = _i;
    float w[MOST], g[MOST], first[MOST] = {0}, second[MOST] = {0};
    double w64[MOST], first64[MOST] = {0}, second64[MOST] = {0};
    for (int i = 0; i < MOST; i++)
        w64[i] = w[i] = (float)(i - 18) / 10;
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < MOST; i++)
            g[i] = cosf((float)(step * (i + 1)));
        pp_optimizer_step(&optimizer, step, 0.5f, (size_t)count, w, g, first, second);
        for (int i = 0; i < count; i++) {
            double gradient = 0.5 * g[i];
            first64[i] = 0.9 * first64[i] + 0.1 * gradient;
            second64[i] = 0.999 * second64[i] + 0.001 * gradient * gradient;
            double mean = first64[i] / (1 - pow(0.9, step));
            double square = second64[i] / (1 - pow(0.999, step));
            w64[i] -= 1e-2 * 0.01 * w64[i] + 1e-2 * mean / (sqrt(square) + 1e-2);
        }
    }
    for (int i = 0; i < MOST; i++) {
        ck_assert_double_eq_tol(w[i], w64[i], 2e-6);
        ck_assert_double_eq_tol(first[i], first64[i], 1e-6);
        ck_assert_double_eq_tol(second[i], second64[i], 1e-6);
    }
}
END_TEST

START_TEST(a_zero_gradient_only_decays)
{
    float w = 4, g = 0, first = 0, second = 0;
    pp_optimizer_step(&adamw, 1, 1, 1, &w, &g, &first, &second);
    ck_assert_float_eq_tol(w, 4 * (1 - 1e-4f), 1e-6);
}
END_TEST

START_TEST(sgd_is_plain)
{
    struct pp_optimizer sgd = {.kind = PP_SGD, .lr = 0.5};
    float w[3] = {1, 2, 3}, g[3] = {1, -1, 0.5f};
    pp_optimizer_step(&sgd, 1, 0.5f, 3, w, g, NULL, NULL);
    ck_assert_float_eq(w[0], 0.75f);
    ck_assert_float_eq(w[1], 2.25f);
    ck_assert_float_eq(w[2], 2.875f);
    sgd.weight_decay = 0.25;
    pp_optimizer_step(&sgd, 2, 0, 1, w, g, NULL, NULL);
    ck_assert_float_eq(w[0], 0.75f - 0.5f * 0.25f * 0.75f);
}
END_TEST

START_TEST(sum_of_squares_is_exact_on_small_integers)
{
    enum { MOST = 100 };
    float g[MOST];
    double expected = 0;
    for (int count = 0; count < MOST; count++) {
        ck_assert_double_eq(pp_sum_of_squares((size_t)count, g), expected);
        g[count] = (float)(count % 2 ? count : -count);
        expected += (double)count * count;
    }
}
END_TEST

/* Squares that float could not hold, and a sum that float would lose. */
START_TEST(sum_of_squares_is_in_double)
{
    float g[3] = {1e25f, 1, 1e-25f};
    ck_assert_double_eq_tol(pp_sum_of_squares(1, g) / 1e50, 1, 1e-6);
    ck_assert_double_eq_tol(pp_sum_of_squares(1, g + 2) / 1e-50, 1, 1e-6);
    g[0] = 1 << 20;
    ck_assert_double_eq(pp_sum_of_squares(2, g), 0x1p40 + 1);
}
END_TEST

/* The order of summation is that of the elements, not of the memory. */
START_TEST(sum_of_squares_does_not_depend_on_alignment)
{
    enum { COUNT = 1003 };
    static float buffer[COUNT + 16];
    double expected = 0;
    for (int shift = 0; shift < 16; shift++) {
        for (int i = 0; i < COUNT; i++)
            buffer[shift + i] = sinf((float)i) / 3;
        double sum = pp_sum_of_squares(COUNT, buffer + shift);
        if (shift == 0)
            expected = sum;
        ck_assert(memcmp(&sum, &expected, sizeof sum) == 0);
    }
}
END_TEST

/* Lane j takes the elements j modulo 16, the lanes are added in pairs: part of the
 * contract, since clipping scales every parameter by what comes of it. */
START_TEST(sum_of_squares_keeps_its_order)
{
    enum { COUNT = 1005 };
    static float g[COUNT];
    double lane[16] = {0};
    for (int i = 0; i < COUNT; i++) {
        g[i] = sinf((float)i) * expf((float)(i % 23));
        lane[i % 16] += (double)g[i] * g[i];
    }
    for (int half = 8; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    double sum = pp_sum_of_squares(COUNT, g);
    ck_assert(memcmp(&sum, &lane[0], sizeof sum) == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optimizer");
    TCase *tests = tcase_create("optimizer");
    tcase_add_test(tests, first_step_of_adamw_is_the_sign);
    tcase_add_loop_test(tests, adamw_follows_the_paper, 0, 38);
    tcase_add_test(tests, a_zero_gradient_only_decays);
    tcase_add_test(tests, sgd_is_plain);
    tcase_add_test(tests, sum_of_squares_is_exact_on_small_integers);
    tcase_add_test(tests, sum_of_squares_is_in_double);
    tcase_add_test(tests, sum_of_squares_does_not_depend_on_alignment);
    tcase_add_test(tests, sum_of_squares_keeps_its_order);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
