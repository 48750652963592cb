/* What the model is: the GPT-2 architecture's sizes, and its parameters' names,
 * shapes and order. Everything that sums over parameters (digest, norm, files) goes in
 * this one canonical order, whichever rank holds them. */
#ifndef PP_MODEL_CONFIG_H
#define PP_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What forward keeps for backward. No number depends on it. */
enum pp_recompute {
    PP_RECOMPUTE_NONE,  /* all activations that backward reads */
    PP_RECOMPUTE_STAGE, /* the stage's input: backward begins with its forward again */
    PP_RECOMPUTE_BLOCK  /* the input of each layer, and the head's: backward runs each
                         * one's forward again before it goes through it. Chen et al.,
                         * Training Deep Nets with Sublinear Memory Cost,
                         * arXiv 1604.06174 */
};

struct pp_model_config {
    int layers;          /* L */
    int d_model;         /* C */
    int heads;           /* H, divides C */
    int seq_len;         /* T */
    int microbatch_size; /* B, sequences per microbatch */
    int vocab;           /* V */
    bool untied;         /* the head has weights of its own ("lm_head.weight") */
    enum pp_recompute recompute;
};

/* How a tensor starts (GPT-2, Radford et al. 2019 §2.3: N(0, 0.02), projections
 * into the residual stream scaled by 1/sqrt(2 L)). */
enum pp_init { PP_INIT_ZEROS, PP_INIT_ONES, PP_INIT_NORMAL, PP_INIT_RESIDUAL };

/* One parameter tensor. Names and layouts are those of the Hugging Face GPT-2
 * safetensors file: wte.weight (V, C), wpe.weight (T, C), per layer i
 * h.i.ln_1.weight/bias (C), h.i.attn.c_attn.weight (C, 3C) [in, out], .bias (3C),
 * h.i.attn.c_proj.weight (C, C), .bias (C), h.i.ln_2.weight/bias (C),
 * h.i.mlp.c_fc.weight (C, 4C), .bias (4C), h.i.mlp.c_proj.weight (4C, C), .bias (C),
 * ln_f.weight/bias (C), and lm_head.weight (V, C) when untied. */
struct pp_tensor_spec {
    char name[48];
    int rank;     /* 1 or 2 dimensions */
    int shape[2]; /* shape[1] = 1 where rank is 1 */
    size_t count; /* elements */
    enum pp_init init;
};

enum { PP_LAYER_TENSORS = 12 };

/* Number of tensors: 2 + 12 L + 2, + 1 when untied. */
int pp_model_tensor_count(const struct pp_model_config *config);

/* The index-th tensor in canonical order: wte, wpe, h.0.*, …, ln_f.*, lm_head. */
struct pp_tensor_spec pp_model_tensor(const struct pp_model_config *config, int index);

/* Refuses sizes that cannot work, with the nearest that do: PP_BAD_INPUT. */
int pp_model_check(const struct pp_model_config *config, struct pp_error *error);

/* Fills data with the index-th tensor's starting values. Counter-based: a value
 * depends on (seed, tensor, element) alone, not on who computes it. */
void pp_model_init_tensor(const struct pp_model_config *config, int index,
                          uint64_t seed, float *data);

#endif
