#include "model/gpt2_config.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "model/safetensors.h"

static const double epsilon = 1e-5;

/* What transformers calls the sizes, by its own name and by the one of all models. */
static const struct size {
    const char *name, *general;
    size_t offset;
    bool may_be_null;
} sizes[] = {
    {"n_layer", "num_hidden_layers", offsetof(struct pp_gpt2_config, layers), false},
    {"n_embd", "hidden_size", offsetof(struct pp_gpt2_config, d_model), false},
    {"n_head", "num_attention_heads", offsetof(struct pp_gpt2_config, heads), false},
    {"n_positions", "max_position_embeddings", offsetof(struct pp_gpt2_config, seq_len),
     false},
    {"vocab_size", NULL, offsetof(struct pp_gpt2_config, vocab), false},
    {"n_inner", NULL, offsetof(struct pp_gpt2_config, inner), true},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* What has to be so. Where a key is missing transformers takes the same. */
static const struct truth {
    const char *name;
    bool value;
} truths[] = {
    {"scale_attn_weights", true},
    {"scale_attn_by_inverse_layer_idx", false},
    {"add_cross_attention", false},
};
enum { TRUTHS = sizeof truths / sizeof *truths };

/* "'config.json': 'n_head' is -3: need …" */
static int refuse(const char *path, const char *key, const json_t *value,
                  const char *need, struct pp_error *error)
{
    char shown[PP_ST_SHOWN];
    char *text = pp_json_dump(value, JSON_ENCODE_ANY | JSON_COMPACT);
    int status = text ? pp_fail(error, PP_BAD_INPUT, "'%s': '%s' is %s: need %s", path,
                                key, pp_st_shown(text, shown), need)
                      : pp_fail(error, PP_ENVIRONMENT, "out of memory for '%s'", path);
    free(text);
    return status;
}

static int read_sizes(struct pp_gpt2_config *config, const json_t *root,
                      const char *path, struct pp_error *error)
{
    for (int i = 0; i < SIZES; i++) {
        const struct size *size = &sizes[i];
        const char *key = size->name;
        const json_t *value = json_object_get(root, key);
        if (!value && size->general)
            value = json_object_get(root, key = size->general);
        if (!value || (size->may_be_null && json_is_null(value)))
            continue;
        json_int_t number = json_integer_value(value);
        if (number < 1 || number > INT_MAX)
            return refuse(path, key, value, "a whole number from 1", error);
        *(int *)((char *)config + size->offset) = (int)number;
    }
    return 0;
}

static int check_truths(const json_t *root, const char *path, struct pp_error *error)
{
    for (int i = 0; i < TRUTHS; i++) {
        const json_t *value = json_object_get(root, truths[i].name);
        bool right = truths[i].value ? json_is_true(value) : json_is_false(value);
        if (value && !right)
            return refuse(path, truths[i].name, value,
                          truths[i].value ? "true" : "false", error);
    }
    return 0;
}

/* The text must be one of two; the second may be NULL. */
static int check_name(const json_t *root, const char *key, const char *one,
                      const char *other, const char *path, struct pp_error *error)
{
    const json_t *value = json_object_get(root, key);
    const char *name = json_string_value(value);
    char need[PP_ST_SHOWN];
    if (!value ||
        (name && (strcmp(name, one) == 0 || (other && strcmp(name, other) == 0))))
        return 0;
    pp_assign(need, sizeof need, other ? "\"%s\" or \"%s\"" : "\"%s\"", one, other);
    return refuse(path, key, value, need, error);
}

/* What is not one size. */
static int read_rest(struct pp_gpt2_config *config, const json_t *root,
                     const char *path, struct pp_error *error)
{
    const json_t *small = json_object_get(root, "layer_norm_epsilon");
    const json_t *tied = json_object_get(root, "tie_word_embeddings");
    const json_t *end = json_object_get(root, "eos_token_id");
    const json_t *quantized = json_object_get(root, "quantization_config");
    if (small && json_number_value(small) != epsilon)
        return refuse(path, "layer_norm_epsilon", small, "1e-05", error);
    if (tied && !json_is_boolean(tied))
        return refuse(path, "tie_word_embeddings", tied, "true or false", error);
    if (quantized && !json_is_null(quantized))
        return refuse(path, "quantization_config", quantized,
                      "none: F32, F16 or BF16 tensors", error);
    config->tied = !json_is_false(tied);
    if (json_is_array(end))
        end = json_array_get(end, 0);
    if (json_is_integer(end) && json_integer_value(end) >= 0 &&
        json_integer_value(end) <= INT_MAX)
        config->end_token = (int)json_integer_value(end);
    return 0;
}

static int read_root(struct pp_gpt2_config *config, const json_t *root,
                     const char *path, struct pp_error *error)
{
    if (check_name(root, "model_type", "gpt2", NULL, path, error) != 0 ||
        check_name(root, "activation_function", "gelu_new", "gelu_pytorch_tanh", path,
                   error) != 0 ||
        read_sizes(config, root, path, error) != 0 ||
        check_truths(root, path, error) != 0)
        return -1;
    return read_rest(config, root, path, error);
}

int pp_gpt2_config_read(struct pp_gpt2_config *config, const char *path, bool any,
                        struct pp_error *error)
{
    *config = (struct pp_gpt2_config){.tied = true, .end_token = -1};
    json_t *root = pp_json_read(path, "is not JSON", error);
    int status = root ? 0 : -1;
    if (root && !json_is_object(root))
        status = pp_fail(error, PP_BAD_INPUT, "'%s' is not a JSON object", path);
    config->has_model = json_object_get(root, "model_type") != NULL;
    if (status == 0 && (config->has_model || !any))
        status = read_root(config, root, path, error);
    json_decref(root);
    return status;
}

int pp_gpt2_config_check(const struct pp_gpt2_config *config, const char *path,
                         const struct pp_model_config *model, const char *tensors,
                         struct pp_error *error)
{
    const struct {
        const char *key;
        int said, found;
    } pairs[] = {
        {"n_layer", config->layers, model->layers},
        {"n_embd", config->d_model, model->d_model},
        {"n_positions", config->seq_len, model->seq_len},
        {"vocab_size", config->vocab, model->vocab},
        {"n_inner", config->inner, 4 * model->d_model},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i].said != 0 && pairs[i].said != pairs[i].found)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s': '%s' is %d: need %d, for the tensors of '%s'", path,
                           pairs[i].key, pairs[i].said, pairs[i].found, tensors);
    }
    if (config->tied == !model->untied)
        return 0;
    if (config->tied)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s': 'tie_word_embeddings' is not false: need false, since "
                       "'lm_head.weight' in '%s' is not a copy of 'wte.weight'",
                       path, tensors);
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s': 'tie_word_embeddings' is false: need true, since '%s' has no "
                   "'lm_head.weight'",
                   path, tensors);
}

char *pp_gpt2_config_text(const struct pp_model_config *model)
{
    /* ppsim trains without dropout. n_ctx: what transformers before 4.10 sized its
     * causal mask by. */
    json_t *root = json_pack(
        "{s:s, s:[s], s:f, s:n, s:f, s:n, s:f, s:f, s:s, s:i, s:i, s:i, s:n, s:i, s:i, "
        "s:b, s:f, s:b, s:b, s:b, s:s, s:b, s:i}",
        "activation_function", "gelu_new", "architectures", "GPT2LMHeadModel",
        "attn_pdrop", 0.0, "bos_token_id", "embd_pdrop", 0.0, "eos_token_id",
        "initializer_range", 0.02, "layer_norm_epsilon", epsilon, "model_type", "gpt2",
        "n_ctx", model->seq_len, "n_embd", model->d_model, "n_head", model->heads,
        "n_inner", "n_layer", model->layers, "n_positions", model->seq_len,
        "reorder_and_upcast_attn", 0, "resid_pdrop", 0.0,
        "scale_attn_by_inverse_layer_idx", 0, "scale_attn_weights", 1,
        "tie_word_embeddings", !model->untied, "torch_dtype", "float32", "use_cache", 1,
        "vocab_size", model->vocab);
    char *line = pp_json_dump(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)), *text;
    json_decref(root);
    if (!line || asprintf(&text, "%s\n", line) < 0)
        text = NULL;
    free(line);
    return text;
}
