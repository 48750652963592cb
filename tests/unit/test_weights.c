/* What of a GPT-2's files is taken, and what of other files is said. */
#include "model/weights.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "model_files.h"
#include "unit.h"

static const struct model_files_part plain = {.heads = "1"};

static void expect_values(const struct pp_weights *weights)
{
    float values[16 * 16];
    struct pp_error error = {0};
    for (int i = 0; i < pp_model_tensor_count(&weights->config); i++) {
        size_t count = pp_model_tensor(&weights->config, i).count;
        ck_assert_msg(pp_weights_read(weights, i, values, &error) == 0, "%s",
                      error.text);
        for (size_t k = 0; k < count; k++)
            ck_assert_float_eq(values[k], model_files_value(i, k));
    }
}

static void expect_model(const char *path, int heads)
{
    struct pp_weights weights;
    struct pp_error error = {0};
    ck_assert_msg(pp_weights_open(&weights, path, heads, &error) == 0, "%s",
                  error.text);
    ck_assert_int_eq(weights.config.layers, 1);
    ck_assert_int_eq(weights.config.d_model, 2);
    ck_assert_int_eq(weights.config.seq_len, 3);
    ck_assert_int_eq(weights.config.vocab, 4);
    ck_assert_int_eq(weights.config.microbatch_size, 1);
    ck_assert(!weights.config.untied);
    expect_values(&weights);
    pp_weights_close(&weights);
}

static void expect_refusal(const char *path, int heads, const char *one,
                           const char *other)
{
    struct pp_weights weights;
    struct pp_error error = {0};
    ck_assert_int_eq(pp_weights_open(&weights, path, heads, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, one, other, NULL);
    pp_weights_close(&weights);
}

static const char *in_folder(const char *folder, const char *name)
{
    char path[128];
    mkdir(unit_path(folder), 0700);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return unit_path(path);
}

static void write_text(const char *path, const char *text)
{
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs(text, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
}

/* A folder with the model and this config.json, NULL: none. */
static const char *folder_with(const char *folder, const char *config,
                               const struct model_files_part *part)
{
    model_files_write(in_folder(folder, "model.safetensors"), part);
    if (config)
        write_text(in_folder(folder, "config.json"), config);
    return unit_path(folder);
}

/* ---- tensors ---- */

static int open_with(struct model_files_extra extra,
                     const struct pp_model_config *wanted, struct pp_error *error)
{
    struct pp_weights weights;
    *error = (struct pp_error){0};
    const struct model_files_part part = {.extra = extra};
    const char *path = model_files_write(unit_path("extra"), &part);
    int status = pp_weights_open_as(&weights, path, wanted, error);
    if (status == 0)
        expect_values(&weights);
    pp_weights_close(&weights);
    return status;
}

START_TEST(what_hugging_face_writes_beside_is_passed_over)
{
    static const struct model_files_extra beside[] = {
        {.name = NULL},
        {"h.0.attn.bias", 2, {3, 3}, 1},
        {"transformer.h.0.attn.masked_bias", 1, {1, 1}, 1},
        {"lm_head.weight", 2, {4, 2}, 0},
    };
    struct pp_error error;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        ck_assert_msg(open_with(beside[i], &model_files_config, &error) == 0, "%s",
                      error.text);
}
END_TEST

START_TEST(another_model_is_named)
{
    struct pp_error error;
    struct pp_model_config other = model_files_config;
    const struct model_files_extra head = {"lm_head.weight", 2, {4, 2}, 1};
    ck_assert_int_eq(open_with(head, &model_files_config, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "lm_head.weight", "'--untied'", NULL);
    ck_assert_int_eq(open_with((struct model_files_extra){"conv.weight", 1, {2, 1}, 1},
                               &model_files_config, &error),
                     -1);
    unit_expect_error(&error, PP_BAD_INPUT, "conv.weight", "GPT-2", NULL);
    ck_assert_int_eq(
        open_with((struct model_files_extra){"transformer.wte.weight", 2, {4, 2}, 0},
                  &model_files_config, &error),
        -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'transformer.wte.weight'", NULL);
    other.layers = 2;
    other.vocab = 5;
    ck_assert_int_eq(open_with((struct model_files_extra){0}, &other, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'--layers' 1", "'--vocab' 4",
                      "'--seq-len' 3", NULL);
    other = model_files_config;
    other.untied = true;
    ck_assert_int_eq(open_with((struct model_files_extra){0}, &other, &error), -1);
    unit_expect_error(&error, PP_BAD_INPUT, "leave '--untied' out", NULL);
}
END_TEST

START_TEST(a_head_of_its_own_makes_a_model_untied)
{
    struct pp_weights weights;
    struct pp_error error = {0};
    float values[8];
    const struct model_files_part part = {.heads = "1",
                                          .extra = {"lm_head.weight", 2, {4, 2}, 7}};
    ck_assert_int_eq(pp_weights_open(&weights,
                                     model_files_write(unit_path("untied"), &part), 0,
                                     &error),
                     0);
    ck_assert(weights.config.untied);
    int last = pp_model_tensor_count(&weights.config) - 1;
    ck_assert_int_eq(pp_weights_read(&weights, last, values, &error), 0);
    ck_assert_float_eq(values[7], 7);
    pp_weights_close(&weights);
}
END_TEST

START_TEST(values_come_from_every_type_and_name)
{
    static const struct model_files_part parts[] = {
        {.heads = "2", .dtypes = {PP_F32, PP_F32, PP_F32}},
        {.heads = "2", .dtypes = {PP_F16, PP_F16, PP_F16}},
        {.heads = "2", .dtypes = {PP_BF16, PP_BF16, PP_BF16}},
        {.heads = "2", .dtypes = {PP_F16, PP_BF16, PP_F32}, .prefix = "transformer."},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        expect_model(model_files_write(unit_path("types"), &parts[i]), 0);
    const struct model_files_part whole = {.heads = "1", .dtypes = {PP_I32, 0, 0}};
    expect_refusal(model_files_write(unit_path("types"), &whole), 0, "'wte.weight'",
                   "I32");
}
END_TEST

START_TEST(a_tensor_that_is_missing_or_misshapen_is_named)
{
    const struct model_files_part begins = {.heads = "1", .end = 5};
    expect_refusal(model_files_write(unit_path("begins"), &begins), 0,
                   "no F32, F16 or BF16 tensor", "'h.0.attn.c_attn.bias'");
    const struct model_files_part none = {.heads = "1", .end = 2};
    expect_refusal(model_files_write(unit_path("none"), &none), 0, "none",
                   "'h.0.ln_1.weight'");
    const struct model_files_part last = {.heads = "1", .first = 2};
    expect_refusal(model_files_write(unit_path("last"), &last), 0, "last",
                   "'wte.weight'");
    const struct model_files_part flat = {
        .heads = "1", .first = 1, .extra = {"wte.weight", 1, {4, 1}, 1}};
    expect_refusal(model_files_write(unit_path("flat"), &flat), 0, "'wte.weight'",
                   "two dimensions");
    const struct model_files_part narrow = {
        .heads = "1", .first = 1, .extra = {"wte.weight", 2, {4, 3}, 1}};
    expect_refusal(model_files_write(unit_path("narrow"), &narrow), 0, "'wpe.weight'",
                   "has the shape (3, 2), the model needs (3, 3)");
    const struct model_files_part far = {
        .heads = "1", .extra = {"h.99999999999999999999.attn.bias", 1, {1, 1}, 1}};
    expect_refusal(model_files_write(unit_path("far"), &far), 0, "h.9999",
                   "does not have");
}
END_TEST

/* ---- heads ---- */

START_TEST(heads_come_from_the_files_or_the_option)
{
    static const struct model_files_part silent = {0}, two = {.heads = "2"};
    const char *path = model_files_write(unit_path("silent"), &silent);
    expect_refusal(path, 0, "silent", "give '--heads'");
    expect_refusal(path, 3, "'--heads' 3", "'--d-model' 2");
    expect_model(path, 2);
    path = model_files_write(unit_path("two"), &two);
    expect_model(path, 0);
    expect_model(path, 2);
    expect_refusal(path, 1, "'--heads' is 1", "has 2 heads");
    expect_model(folder_with("said", "{\"n_head\":2}", &silent), 0);
    expect_model(folder_with("said", "{\"num_attention_heads\":2}", &two), 0);
    expect_refusal(folder_with("said", "{\"n_head\":1}", &two), 0, "said/config.json",
                   "said/model.safetensors' says 2");
    expect_refusal(folder_with("said", "{\"n_head\":1}", &silent), 2, "'--heads' is 2",
                   "said/config.json");
    expect_refusal(folder_with("said", "{\"n_head\":3}", &silent), 0,
                   "said/config.json", "divisor of its width, 2");
    static const char *const bad[] = {"", "0", "-1", "2x", "99999999999", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct model_files_part part = {.heads = bad[i]};
        expect_refusal(model_files_write(unit_path("bad"), &part), 0, "'n_head'",
                       "need a whole number from 1");
    }
    struct pp_weights weights;
    struct pp_error error = {0};
    path = model_files_write(unit_path("two"), &two);
    ck_assert_int_eq(pp_weights_open_as(&weights, path, &model_files_config, &error),
                     -1);
    unit_expect_error(&error, PP_BAD_INPUT, "'--heads' 2", NULL);
}
END_TEST

/* ---- config.json ---- */

static const struct {
    const char *config, *one, *other;
} refused[] = {
    {"[]", "config.json", "not a JSON object"},
    {"{\"n_head\":1,", "config.json", "is not JSON"},
    {"{\"n_head\":1,\"n_head\":1}", "config.json", "duplicate"},
    {"{\"model_type\":\"gpt_neo\"}", "'model_type' is \"gpt_neo\"", "need \"gpt2\""},
    {"{\"model_type\":null}", "'model_type' is null", "need \"gpt2\""},
    {"{\"activation_function\":\"relu\"}", "'activation_function' is \"relu\"",
     "need \"gelu_new\" or \"gelu_pytorch_tanh\""},
    {"{\"activation_function\":\"gelu\"}", "'activation_function'", "\"gelu_new\""},
    {"{\"layer_norm_epsilon\":1e-6}", "'layer_norm_epsilon'", "need 1e-05"},
    {"{\"layer_norm_epsilon\":\"1e-5\"}", "'layer_norm_epsilon'", "need 1e-05"},
    {"{\"n_inner\":6}", "'n_inner' is 6", "need 8"},
    {"{\"scale_attn_weights\":false}", "'scale_attn_weights' is false", "need true"},
    {"{\"scale_attn_by_inverse_layer_idx\":true}", "'scale_attn_by_inverse_layer_idx'",
     "need false"},
    {"{\"add_cross_attention\":1}", "'add_cross_attention' is 1", "need false"},
    {"{\"tie_word_embeddings\":false}", "'tie_word_embeddings' is false",
     "has no 'lm_head.weight'"},
    {"{\"tie_word_embeddings\":0}", "'tie_word_embeddings' is 0", "true or false"},
    {"{\"quantization_config\":{\"bits\":4}}", "'quantization_config'", "none"},
    {"{\"n_layer\":2}", "'n_layer' is 2", "need 1"},
    {"{\"n_embd\":4}", "'n_embd' is 4", "need 2"},
    {"{\"n_positions\":1024}", "'n_positions' is 1024", "need 3"},
    {"{\"vocab_size\":50257}", "'vocab_size' is 50257", "need 4"},
    {"{\"n_head\":0}", "'n_head' is 0", "need a whole number from 1"},
    {"{\"n_head\":1.0}", "'n_head' is 1.0", "need a whole number from 1"},
    {"{\"n_head\":null}", "'n_head' is null", "need a whole number from 1"},
    {"{\"n_head\":4294967297}", "'n_head' is 4294967297", "need a whole number"},
    {"{\"hidden_size\":\"2\\n\"}", "'hidden_size' is \"2\\n\"", "need a whole number"},
};

START_TEST(what_the_model_does_not_compute_is_refused_by_name)
{
    expect_refusal(folder_with("refused", refused[_i].config, &plain), 0,
                   refused[_i].one, refused[_i].other);
}
END_TEST

START_TEST(what_changes_no_result_is_taken)
{
    static const char *const taken[] = {
        "{}",
        "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],"
        "\"activation_function\":\"gelu_pytorch_tanh\",\"layer_norm_epsilon\":1e-05,"
        "\"n_layer\":1,\"n_embd\":2,\"n_head\":1,\"n_positions\":3,\"vocab_size\":4,"
        "\"n_inner\":8,\"attn_pdrop\":0.1,\"reorder_and_upcast_attn\":true,"
        "\"scale_attn_weights\":true,\"scale_attn_by_inverse_layer_idx\":false,"
        "\"tie_word_embeddings\":true,\"summary_type\":\"cls_index\"}",
        "{\"n_inner\":null,\"num_hidden_layers\":1,\"quantization_config\":null}",
    };
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        expect_model(folder_with("taken", taken[i], &plain), 0);
}
END_TEST

START_TEST(a_config_beside_a_file_is_the_models_if_it_says_so)
{
    folder_with("beside", "{\"n_head\":2,\"n_layer\":7}", &plain);
    expect_model(in_folder("beside", "model.safetensors"), 0);
    folder_with("beside", "{\"model_type\":\"gpt2\",\"n_layer\":7}", &plain);
    expect_refusal(in_folder("beside", "model.safetensors"), 0, "'n_layer' is 7",
                   "beside/config.json");
    folder_with("beside", "{\"model_type\":\"gpt2\",\"n_head\":2}", &plain);
    expect_refusal(in_folder("beside", "model.safetensors"), 0, "beside/config.json",
                   "beside/model.safetensors' says 1");
}
END_TEST

START_TEST(config_says_whether_a_second_copy_is_tied)
{
    const struct model_files_part copy = {.heads = "1",
                                          .extra = {"lm_head.weight", 2, {4, 2}, 0}};
    const struct model_files_part own = {.heads = "1",
                                         .extra = {"lm_head.weight", 2, {4, 2}, 5}};
    static const char untied[] = "{\"tie_word_embeddings\":false}";
    struct pp_weights weights;
    struct pp_error error = {0};
    expect_model(folder_with("tie", "{}", &copy), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pp_weights_open(&weights,
                                         folder_with("tie", untied, i ? &own : &copy),
                                         0, &error),
                         0);
        ck_assert(weights.config.untied);
        pp_weights_close(&weights);
    }
    expect_refusal(folder_with("tie", "{}", &own), 0, "'tie_word_embeddings'",
                   "need false");
}
END_TEST

START_TEST(the_end_token_is_told)
{
    static const struct {
        const char *config;
        int end;
    } cases[] = {
        {NULL, -1},
        {"{}", -1},
        {"{\"eos_token_id\":3}", 3},
        {"{\"eos_token_id\":[2,3]}", 2},
        {"{\"eos_token_id\":null}", -1},
        {"{\"eos_token_id\":4}", -1},
        {"{\"eos_token_id\":-2}", -1},
        {"{\"eos_token_id\":\"</s>\"}", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pp_weights weights;
        struct pp_error error = {0};
        const char *path = folder_with("end", cases[i].config, &plain);
        ck_assert_int_eq(pp_weights_open(&weights, path, 0, &error), 0);
        ck_assert_int_eq(weights.end_token, cases[i].end);
        ck_assert_str_eq(weights.folder, path);
        pp_weights_close(&weights);
    }
}
END_TEST

START_TEST(a_folder_without_parameters_is_refused)
{
    mkdir(unit_path("bare"), 0700);
    expect_refusal(unit_path("bare"), 0, "'model.safetensors'",
                   "'model.safetensors.index.json'");
    expect_refusal(unit_path("absent"), 0, "absent", "No such file");
}
END_TEST

/* ---- shards ---- */

/* Tensors 0 to 6 are in "a/one", the others in "two". */
static const char *sharded(const char *index)
{
    static const struct model_files_part one = {.end = 7, .heads = "2"};
    static const struct model_files_part two = {.first = 7, .dtypes = {PP_BF16, 0, 0}};
    mkdir(unit_path("shards"), 0700);
    mkdir(unit_path("shards/a"), 0700);
    remove(unit_path("shards/model.safetensors"));
    model_files_write(unit_path("shards/a/one"), &one);
    model_files_write(unit_path("shards/two"), &two);
    write_text(unit_path("shards/model.safetensors.index.json"), index);
    return unit_path("shards");
}

/* The index of them, but that the tensor changed is in another file, or nowhere. */
static const char *index_but(int changed, const char *file, const char *more)
{
    static char text[4096];
    size_t length = (size_t)sprintf(
        text, "{\"metadata\":{\"total_size\":1},\"weight_map\":{%s", more ? more : "");
    for (int i = 0; i < pp_model_tensor_count(&model_files_config); i++) {
        const char *in = i == changed ? file : i < 7 ? "a/one" : "two";
        if (in)
            length += (size_t)sprintf(text + length, "\"%s\":\"%s\",",
                                      pp_model_tensor(&model_files_config, i).name, in);
    }
    strcpy(text + length - 1, "}}");
    return text;
}

START_TEST(shards_are_read_as_one)
{
    expect_model(sharded(index_but(-1, NULL, NULL)), 0);
    /* A mask of a type that is not read is in the index all the same. */
    expect_model(sharded(index_but(-1, NULL, "\"h.0.attn.bias\":\"two\",")), 0);
}
END_TEST

START_TEST(an_index_that_does_not_fit_is_refused)
{
    static const char *const away[] = {"../two", "a/../../two", "/etc/passwd", "..",
                                       ""};
    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        expect_refusal(sharded(index_but(9, away[i], NULL)), 0, "index.json': tensor",
                       "in the same folder");
    expect_refusal(sharded(index_but(9, "three", NULL)), 0, "'three'",
                   "which is not there");
    expect_refusal(sharded(index_but(9, "a/one", NULL)), 0, "shards/",
                   "'h.0.ln_2.bias'");
    expect_refusal(sharded(index_but(9, NULL, NULL)), 0, "'h.0.ln_2.bias'",
                   "is in none");
    expect_refusal(sharded(index_but(-1, NULL, "\"h.0.more\":\"two\",")), 0,
                   "'h.0.more'", "shards/two");
    expect_refusal(sharded(index_but(-1, NULL, "\"wte.weight\":\"two\",")), 0,
                   "index.json", "duplicate");
    expect_refusal(sharded("{\"weight_map\":{\"wte.weight\":1}}"), 0, "'wte.weight'",
                   "'no file'");
    expect_refusal(sharded("{\"weight_map\":{}}"), 0, "index.json", "'weight_map'");
    expect_refusal(sharded("{}"), 0, "index.json", "'weight_map'");
    expect_refusal(sharded("["), 0, "index.json", "is not JSON");
}
END_TEST

/* A tensor that is in the file it should be in, and in another too. */
START_TEST(a_tensor_in_two_shards_is_refused)
{
    const char *path = sharded(index_but(-1, NULL, NULL));
    const struct model_files_part both = {.first = 6};
    model_files_write(unit_path("shards/two"), &both);
    expect_refusal(path, 0, "two' has a tensor 'h.0.attn.c_proj.weight'", "a/one");
}
END_TEST

START_TEST(whole_parameters_go_before_shards)
{
    sharded("[");
    expect_model(folder_with("shards", NULL, &plain), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("weights");
    TCase *all = tcase_create("all");
    tcase_add_test(all, what_hugging_face_writes_beside_is_passed_over);
    tcase_add_test(all, another_model_is_named);
    tcase_add_test(all, a_head_of_its_own_makes_a_model_untied);
    tcase_add_test(all, values_come_from_every_type_and_name);
    tcase_add_test(all, a_tensor_that_is_missing_or_misshapen_is_named);
    tcase_add_test(all, heads_come_from_the_files_or_the_option);
    tcase_add_loop_test(all, what_the_model_does_not_compute_is_refused_by_name, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(all, what_changes_no_result_is_taken);
    tcase_add_test(all, a_config_beside_a_file_is_the_models_if_it_says_so);
    tcase_add_test(all, config_says_whether_a_second_copy_is_tied);
    tcase_add_test(all, the_end_token_is_told);
    tcase_add_test(all, a_folder_without_parameters_is_refused);
    tcase_add_test(all, shards_are_read_as_one);
    tcase_add_test(all, an_index_that_does_not_fit_is_refused);
    tcase_add_test(all, a_tensor_in_two_shards_is_refused);
    tcase_add_test(all, whole_parameters_go_before_shards);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
