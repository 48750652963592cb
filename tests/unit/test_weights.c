/* What of a GPT-2 file is taken, and what of other files is said. */
#include <stdio.h>

#include "model/config.h"
#include "model/safetensors.h"
#include "model/weights.h"
#include "unit.h"

static const struct pp_model_config config = {.layers = 1,
                                              .d_model = 2,
                                              .heads = 1,
                                              .seq_len = 3,
                                              .microbatch_size = 1,
                                              .vocab = 4};

/* A tensor that a file has beside the model's. */
struct extra {
    const char *name; /* NULL: there is none */
    int rank, shape[2];
    float value; /* of each element */
};

/* Writes the model of the config, all elements 0, and the extra one. */
static const char *write_model(const char *name, const struct extra *extra)
{
    enum { MOST = 64 };
    struct pp_st_tensor tensors[MOST];
    struct pp_error error = {0};
    const char *path = unit_path(name);
    int count = pp_model_tensor_count(&config);
    ck_assert_int_lt(count, MOST);
    for (int i = 0; i <= count; i++) {
        bool own = i < count;
        struct pp_tensor_spec spec = pp_model_tensor(&config, own ? i : 0);
        tensors[i] = (struct pp_st_tensor){
            .dtype = PP_F32,
            .rank = own ? spec.rank : extra->rank,
            .shape = {own ? spec.shape[0] : extra->shape[0],
                      own ? spec.shape[1] : extra->shape[1], 1, 1}};
        snprintf(tensors[i].name, sizeof tensors[i].name, "%s",
                 own           ? spec.name
                 : extra->name ? extra->name
                               : "");
    }
    count += extra->name != NULL;
    struct pp_st_writer *writer = pp_st_create(path, tensors, count, NULL, &error);
    ck_assert_ptr_nonnull(writer);
    for (int i = 0; i < count; i++) {
        bool own = i < pp_model_tensor_count(&config);
        float value = own ? 0 : extra->value;
        for (int64_t k = 0; k < tensors[i].shape[0] * tensors[i].shape[1]; k++)
            ck_assert_int_eq(pp_st_append(writer, &value, sizeof value, &error), 0);
    }
    ck_assert_int_eq(pp_st_finish(writer, &error), 0);
    return path;
}

static int check(const char *name, struct extra extra,
                 const struct pp_model_config *wanted, struct pp_error *error)
{
    struct pp_weights weights;
    *error = (struct pp_error){0};
    int status = pp_weights_open_as(&weights, write_model(name, &extra), wanted, error);
    pp_weights_close(&weights);
    return status;
}

START_TEST(what_hugging_face_writes_beside_is_passed_over)
{
    struct pp_error error;
    ck_assert_int_eq(check("plain", (struct extra){0}, &config, &error), 0);
    ck_assert_int_eq(
        check("mask", (struct extra){"h.0.attn.bias", 2, {3, 3}, 1}, &config, &error),
        0);
    ck_assert_int_eq(check("masked",
                           (struct extra){"h.0.attn.masked_bias", 1, {1, 1}, 1},
                           &config, &error),
                     0);
    ck_assert_int_eq(
        check("tied", (struct extra){"lm_head.weight", 2, {4, 2}, 0}, &config, &error),
        0);
}
END_TEST

START_TEST(another_model_is_named)
{
    struct pp_error error;
    struct pp_model_config other = config;
    ck_assert_int_eq(
        check("head", (struct extra){"lm_head.weight", 2, {4, 2}, 1}, &config, &error),
        -1);
    unit_expect_error(&error, PP_BAD_INPUT, "lm_head.weight", "'--untied'", NULL);
    ck_assert_int_eq(
        check("foreign", (struct extra){"conv.weight", 1, {2, 1}, 0}, &config, &error),
        -1);
    unit_expect_error(&error, PP_BAD_INPUT, "conv.weight", "GPT-2", NULL);
    other.layers = 2;
    other.vocab = 5;
    ck_assert_int_eq(check("shape", (struct extra){0}, &other, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'--layers' 1", "'--vocab' 4",
                      "'--seq-len' 3", NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("weights");
    TCase *all = tcase_create("all");
    tcase_add_test(all, what_hugging_face_writes_beside_is_passed_over);
    tcase_add_test(all, another_model_is_named);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
