/* The model's sizes, its tensors, and how they start. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/config.h"
#include "unit.h"

static const struct pp_model_config usual = {.layers = 2,
                                             .d_model = 128,
                                             .heads = 4,
                                             .seq_len = 64,
                                             .microbatch_size = 4,
                                             .vocab = 256};

START_TEST(tensors_in_canonical_order)
{
    struct pp_model_config config = usual;
    const struct {
        int index;
        const char *name;
        int rank, rows, columns;
    } some[] = {
        {0, "wte.weight", 2, 256, 128},
        {1, "wpe.weight", 2, 64, 128},
        {2, "h.0.ln_1.weight", 1, 128, 1},
        {4, "h.0.attn.c_attn.weight", 2, 128, 384},
        {5, "h.0.attn.c_attn.bias", 1, 384, 1},
        {18, "h.1.attn.c_proj.weight", 2, 128, 128},
        {22, "h.1.mlp.c_fc.weight", 2, 128, 512},
        {24, "h.1.mlp.c_proj.weight", 2, 512, 128},
        {25, "h.1.mlp.c_proj.bias", 1, 128, 1},
        {26, "ln_f.weight", 1, 128, 1},
        {27, "ln_f.bias", 1, 128, 1},
        {28, "lm_head.weight", 2, 256, 128},
    };
    ck_assert_int_eq(pp_model_tensor_count(&config), 28);
    config.untied = true;
    ck_assert_int_eq(pp_model_tensor_count(&config), 29);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        struct pp_tensor_spec spec = pp_model_tensor(&config, some[i].index);
        ck_assert_str_eq(spec.name, some[i].name);
        ck_assert_int_eq(spec.rank, some[i].rank);
        ck_assert_int_eq(spec.shape[0], some[i].rows);
        ck_assert_int_eq(spec.shape[1], some[i].columns);
        ck_assert_uint_eq(spec.count, (size_t)some[i].rows * (size_t)some[i].columns);
    }
}
END_TEST

/* Mean and deviation of a tensor; a normal's fourth moment is 3 deviation^4. */
static void expect_moments(int index, double deviation)
{
    struct pp_tensor_spec spec = pp_model_tensor(&usual, index);
    float *data = malloc(spec.count * sizeof *data);
    double sum = 0, squares = 0, fourths = 0, count = (double)spec.count;
    ck_assert_ptr_nonnull(data);
    pp_model_init_tensor(&usual, index, 5, data);
    for (size_t i = 0; i < spec.count; i++) {
        double z = deviation > 0 ? (double)data[i] / deviation : (double)data[i];
        sum += z;
        squares += z * z;
        fourths += z * z * z * z;
    }
    free(data);
    /* six standard errors */
    ck_assert_double_eq_tol(sum / count, 0, 6 / sqrt(count));
    ck_assert_double_eq_tol(squares / count, 1, 6 * sqrt(2 / count));
    ck_assert_double_eq_tol(fourths / count, 3, 6 * sqrt(96 / count));
}

START_TEST(tensors_start_as_gpt2)
{
    expect_moments(0, 0.02);
    expect_moments(4, 0.02);
    expect_moments(6, 0.02 / sqrt(2.0 * 2));
    expect_moments(12, 0.02 / sqrt(2.0 * 2));
    float data[128];
    pp_model_init_tensor(&usual, 2, 5, data);
    for (int i = 0; i < 128; i++)
        ck_assert_float_eq(data[i], 1);
    pp_model_init_tensor(&usual, 3, 5, data);
    for (int i = 0; i < 128; i++)
        ck_assert_float_eq(data[i], 0);
}
END_TEST

START_TEST(start_depends_on_seed_and_tensor)
{
    static float a[64 * 128], b[64 * 128];
    pp_model_init_tensor(&usual, 1, 5, a);
    pp_model_init_tensor(&usual, 1, 5, b);
    ck_assert_mem_eq(a, b, sizeof a);
    pp_model_init_tensor(&usual, 1, 6, b);
    ck_assert_mem_ne(a, b, sizeof a);
    static float first[128 * 128], second[128 * 128];
    pp_model_init_tensor(&usual, 6, 5, first);
    pp_model_init_tensor(&usual, 18, 5, second);
    ck_assert_mem_ne(first, second, sizeof first);
}
END_TEST

START_TEST(good_sizes)
{
    struct pp_error error = {0};
    struct pp_model_config least = {1, 1, 1, 1, 1, 1, true};
    ck_assert_int_eq(pp_model_check(&usual, &error), 0);
    ck_assert_int_eq(pp_model_check(&least, &error), 0);
}
END_TEST

static void expect_refused(struct pp_model_config config, const char *name,
                           const char *valid)
{
    struct pp_error error = {0};
    ck_assert_int_eq(pp_model_check(&config, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, name, valid, NULL);
}

START_TEST(bad_sizes)
{
    struct pp_model_config bad = usual;
    bad.heads = 3;
    expect_refused(bad, "'--heads' 3 does not divide '--d-model' 128",
                   "nearest that do are 2 and 4");
    bad.heads = 129;
    expect_refused(bad, "'--heads' 129", "128");
    bad = usual;
    bad.layers = 0;
    expect_refused(bad, "'--layers' 0", "from 1 to");
    bad = usual;
    bad.d_model = INT_MAX;
    expect_refused(bad, "'--d-model'", "from 1 to 536870911");
    bad = usual;
    bad.microbatch_size = bad.seq_len = 100000;
    expect_refused(bad, "'--microbatch-size' 100000", "at most 21474");
    bad = usual;
    bad.d_model = 500000000;
    bad.layers = 1000000;
    expect_refused(bad, "'--d-model' 500000000", "can be addressed");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("config");
    TCase *tensors = tcase_create("tensors");
    tcase_add_test(tensors, tensors_in_canonical_order);
    tcase_add_test(tensors, tensors_start_as_gpt2);
    tcase_add_test(tensors, start_depends_on_seed_and_tensor);
    suite_add_tcase(suite, tensors);
    TCase *sizes = tcase_create("sizes");
    tcase_add_test(sizes, good_sizes);
    tcase_add_test(sizes, bad_sizes);
    suite_add_tcase(suite, sizes);
    return unit_run(suite);
}
