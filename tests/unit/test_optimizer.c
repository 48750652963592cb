#include "model/optimizer.h"

#include <math.h>
#include <string.h>

#include "tests/numerics/bounded.h"
#include "unit.h"

static const struct pp_optimizer adamw = {.kind = PP_ADAMW,
                                          .lr = {.most = 1e-2},
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-8,
                                          .weight_decay = 0.01};

static void expect_near(double found, struct bounded expected)
{
    double error = fabs(found - expected.value);
    ck_assert_msg(error <= bound(expected),
                  "%.9g instead of %.9g: off by %g, more than %g", found,
                  expected.value, error, bound(expected));
}

/* One step of Algorithm 2 of the paper for one element, in double, with the bounds of
 * the float operations that torch takes for it. */
static void paper(const struct pp_optimizer *o, int step, struct bounded gradient,
                  struct bounded *w, struct bounded *first, struct bounded *second)
{
    double beta1 = o->beta1, beta2 = o->beta2;
    struct bounded blend1 = constant(1 - beta1), blend2 = constant(1 - beta2);
    struct bounded root2 = constant(sqrt(1 - pow(beta2, step)));
    struct bounded step_size = constant(o->lr.most / (1 - pow(beta1, step)));
    *first = textbook(beta1 * first->value + (1 - beta1) * gradient.value,
                      plus(*first, times(blend1, minus(gradient, *first))));
    *second =
        plus(times(constant(beta2), *second), times(times(blend2, gradient), gradient));
    struct bounded denominator =
        plus(over(square_root(*second), root2), constant(o->epsilon));
    *w = minus(times(*w, constant(1 - o->lr.most * o->weight_decay)),
               over(times(step_size, *first), denominator));
}

/* Step 1: the corrected moments are g and g^2, so that the update is lr * sign(g),
 * after the decay. */
START_TEST(first_step_of_adamw_is_the_sign)
{
    float w[2] = {1, -2}, g[2] = {0.25f, -3}, first[2] = {0}, second[2] = {0};
    const double by_hand[2] = {1 * (1 - 1e-4) - 1e-2, -2 * (1 - 1e-4) + 1e-2};
    struct bounded exact_w[2], exact_first[2] = {{0, 0}}, exact_second[2] = {{0, 0}};
    for (int i = 0; i < 2; i++) {
        exact_w[i] = exact(w[i]);
        paper(&adamw, 1, exact(g[i]), &exact_w[i], &exact_first[i], &exact_second[i]);
    }
    pp_optimizer_step(&adamw, 1, 1, 2, w, g, first, second);
    for (int i = 0; i < 2; i++) {
        /* epsilon, which the sign leaves out, is 1e-8 of a gradient near 1 */
        exact_w[i].error += 1e-2 * 1e-8 / fabs((double)g[i]);
        expect_near((double)w[i], textbook(by_hand[i], exact_w[i]));
    }
    expect_near((double)first[0], textbook(0.025, exact_first[0]));
    expect_near((double)second[1], textbook(0.009, exact_second[1]));
}
END_TEST

/* Over several steps; counts around the width of vectors; an epsilon large enough to
 * show where it stands. */
START_TEST(adamw_follows_the_paper)
{
    enum { MOST = 37, STEPS = 20 };
    struct pp_optimizer optimizer = adamw;
    optimizer.epsilon = 1e-2;
    int count = _i;
    float w[MOST], g[MOST], first[MOST] = {0}, second[MOST] = {0};
    struct bounded exact_w[MOST], exact_first[MOST] = {{0, 0}};
    struct bounded exact_second[MOST] = {{0, 0}};
    for (int i = 0; i < MOST; i++) {
        w[i] = (float)(i - 18) / 10;
        exact_w[i] = exact(w[i]);
    }
    for (int step = 1; step <= STEPS; step++) {
        for (int i = 0; i < MOST; i++)
            g[i] = cosf((float)(step * (i + 1)));
        pp_optimizer_step(&optimizer, step, 0.5f, (size_t)count, w, g, first, second);
        for (int i = 0; i < count; i++)
            paper(&optimizer, step, times(exact(0.5f), exact(g[i])), &exact_w[i],
                  &exact_first[i], &exact_second[i]);
    }
    for (int i = 0; i < MOST; i++) {
        expect_near((double)w[i], exact_w[i]);
        expect_near((double)first[i], exact_first[i]);
        expect_near((double)second[i], exact_second[i]);
    }
}
END_TEST

START_TEST(a_zero_gradient_only_decays)
{
    float w = 4, g = 0, first = 0, second = 0;
    pp_optimizer_step(&adamw, 1, 1, 1, &w, &g, &first, &second);
    expect_near((double)w, times(exact(4), constant(1 - 1e-4)));
}
END_TEST

START_TEST(sgd_is_plain)
{
    struct pp_optimizer sgd = {.kind = PP_SGD, .lr = {.most = 0.5}};
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

/* As Megatron-LM's OptimizerParamScheduler has it, by hand. */
START_TEST(the_rate_rises_and_falls)
{
    const struct pp_learning_rate constant = {.most = 0.5},
                                  rising = {.most = 0.5, .warmup = 4};
    const struct pp_learning_rate cosine = {PP_RATE_COSINE, 0.5, 0.1, 4, 10};
    const struct {
        int step;
        double rising, cosine;
    } rows[] = {
        {1, 0.125, 0.125},
        {2, 0.25, 0.25},
        {4, 0.5, 0.5},
        {5, 0.5, 0.1 + 0.4 * (2 + sqrt(3)) / 4}, /* cos 30 degrees */
        {6, 0.5, 0.4},                           /* cos 60 */
        {7, 0.5, 0.3},
        {8, 0.5, 0.2},
        {10, 0.5, 0.1},
        {11, 0.5, 0.1},
        {1 << 24, 0.5, 0.1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int step = rows[i].step;
        ck_assert_double_eq(pp_learning_rate(&constant, step), 0.5);
        ck_assert_double_eq(pp_learning_rate(&rising, step), rows[i].rising);
        ck_assert_double_eq_tol(pp_learning_rate(&cosine, step), rows[i].cosine, 1e-15);
    }
}
END_TEST

/* A step of a schedule is a step at that rate: decay and update alike. */
START_TEST(each_step_takes_its_rate)
{
    enum { COUNT = 9, STEPS = 6 };
    float w[2][COUNT], g[COUNT], first[2][COUNT] = {{0}}, second[2][COUNT] = {{0}};
    struct pp_optimizer optimizer = adamw, constant = adamw;
    optimizer.weight_decay = constant.weight_decay = 0.5;
    optimizer.lr = (struct pp_learning_rate){PP_RATE_COSINE, 0.1, 0.01, 2, STEPS};
    for (enum pp_optimizer_kind kind = PP_ADAMW; kind <= PP_SGD; kind++) {
        optimizer.kind = constant.kind = kind;
        for (int i = 0; i < COUNT; i++)
            w[0][i] = w[1][i] = (float)i - 4;
        for (int step = 1; step <= STEPS; step++) {
            for (int i = 0; i < COUNT; i++)
                g[i] = cosf((float)(step * (i + 1)));
            constant.lr.most = pp_learning_rate(&optimizer.lr, step);
            pp_optimizer_step(&optimizer, step, 1, COUNT, w[0], g, first[0], second[0]);
            pp_optimizer_step(&constant, step, 1, COUNT, w[1], g, first[1], second[1]);
            ck_assert_mem_eq(w[0], w[1], sizeof w[0]);
        }
    }
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
    tcase_add_test(tests, the_rate_rises_and_falls);
    tcase_add_test(tests, each_step_takes_its_rate);
    tcase_add_test(tests, sum_of_squares_is_exact_on_small_integers);
    tcase_add_test(tests, sum_of_squares_is_in_double);
    tcase_add_test(tests, sum_of_squares_does_not_depend_on_alignment);
    tcase_add_test(tests, sum_of_squares_keeps_its_order);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
