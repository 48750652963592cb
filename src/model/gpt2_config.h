/* config.json as transformers writes it for a GPT-2 (GPT2Config): what the model is,
 * beside its tensors. */
#ifndef PP_MODEL_GPT2_CONFIG_H
#define PP_MODEL_GPT2_CONFIG_H

#include <stdbool.h>

#include "model/config.h"

/* What a config.json says; sizes that it does not say are 0. */
struct pp_gpt2_config {
    int layers;     /* n_layer, or num_hidden_layers */
    int d_model;    /* n_embd, hidden_size */
    int heads;      /* n_head, num_attention_heads */
    int seq_len;    /* n_positions, max_position_embeddings */
    int vocab;      /* vocab_size */
    int inner;      /* n_inner: the width between the two products of a block's MLP */
    bool tied;      /* tie_word_embeddings; transformers' default: true */
    int end_token;  /* eos_token_id, the first if they are several; -1: none */
    bool has_model; /* it has a model_type, which is "gpt2" */
};

/* Reads it. Refuses by name what ppsim's model does not compute: another model_type
 * or activation_function (gelu_new and gelu_pytorch_tanh are the tanh GELU), another
 * layer_norm_epsilon than 1e-5, scale_attn_weights false,
 * scale_attn_by_inverse_layer_idx true, add_cross_attention true, a
 * quantization_config. What is only for training (dropout, initializer_range,
 * use_cache) or changes no result in single precision (reorder_and_upcast_attn) is
 * passed over. any: a file that has no model_type is somebody else's: reads nothing of
 * it. PP_BAD_INPUT names the file, the key and what would be valid; PP_ENVIRONMENT. */
int pp_gpt2_config_read(struct pp_gpt2_config *config, const char *path, bool any,
                        struct pp_error *error);

/* Refuses sizes and a tying that are not those of the tensors in the file of that name,
 * which make `model` (its heads are not looked at). */
int pp_gpt2_config_check(const struct pp_gpt2_config *config, const char *path,
                         const struct pp_model_config *model, const char *tensors,
                         struct pp_error *error);

/* The text that describes the model to transformers, to be freed; NULL when out of
 * memory. It has no end token: what ppsim trains on has none. */
char *pp_gpt2_config_text(const struct pp_model_config *model);

#endif
