/* A stage's parameters, and where its arrays lie in the buffers it is given.
 *
 * Dimension legend: B sequences per microbatch, T positions, C = d_model, H heads,
 * V vocabulary, N = B T tokens. All tensors row-major, packed. */
#ifndef PP_MODEL_STAGE_LAYOUT_H
#define PP_MODEL_STAGE_LAYOUT_H

#include "model/config.h"
#include "model/real.h"

/* One parameter tensor that a stage holds. */
struct pp_parameter {
    int index;    /* in canonical order (pp_model_tensor) */
    size_t count; /* elements */
    real *value;  /* into pp_stage.values */
    real *grad;   /* into pp_stage.grads */
};

struct pp_stage {
    struct pp_model_config config;
    int first_layer, layers; /* the layers [first_layer, first_layer + layers) */
    bool embed;              /* holds wte, wpe: the first stage */
    bool head;               /* holds ln_f, the head and the loss: the last stage */

    /* In canonical order, except that a tied head comes last: it is a second
     * parameter of wte's index, with value and gradient of its own. The embedding's
     * part and the head's part of wte's gradient are always summed in this one order,
     * by the caller (run/), whether or not one rank holds both. */
    struct pp_parameter *parameters; /* [parameter_count] */
    int parameter_count;
    size_t real_count; /* elements of values, and of grads */
    real *values;      /* one aligned block, all parameters */
    real *grads;       /* one aligned block, laid out like values */

    real *scratch; /* borrowed: pp_stage_scratch_count reals shared by all stages of a
                    * rank, dead between calls */

    /* Called between layers with poll_data, so that transfers overlap compute; NULL:
     * nobody to call. */
    void (*poll)(void *poll_data);
    void *poll_data;
};

/* A stage is made of blocks: its layers, and behind them the head if it has one. */
static inline int pp_stage_blocks(const struct pp_stage *stage)
{
    return stage->layers + (stage->head ? 1 : 0);
}

/* What forward leaves for backward: two buffers, so that what backward-weight does not
 * read is free as soon as backward-input is done. */
struct pp_kept {
    real *transients;  /* read until backward-input */
    real *activations; /* read until backward-weight */
    /* Of re-computation, else NULL: the inputs, (N, C) each, from which the other two
     * are computed again (enum pp_recompute); of a whole stage that embeds none, since
     * it has the tokens. */
    real *inputs;
    bool alone; /* transients and activations have room for one block: each block's take
                 * the place of those before */
};

/* What a layer keeps. */
struct pp_layer_activations {
    /* Until backward-weight. */
    real *norm_1; /* (N, C) input of ln_1, standardised */
    real *mixed;  /* (N, C) what attention gives its projection */
    real *norm_2; /* (N, C) input of ln_2, standardised */
    real *gelu;   /* (N, 4C) */
    /* Until backward-input. */
    real *rstd_1;  /* (N) */
    real *qkv;     /* (N, 3C) */
    real *weights; /* (B, H, T, T) of the attention */
    real *rstd_2;  /* (N) */
    real *slope;   /* (N, 4C) derivative of the GELU */
};

/* What a layer keeps from backward-input until backward-weight. */
struct pp_layer_gradients {
    real *norm_1; /* (N, C) by the output of ln_1 */
    real *qkv;    /* (N, 3C) */
    real *middle; /* (N, C) by the residual stream between attention and MLP */
    real *norm_2; /* (N, C) by the output of ln_2 */
    real *fc;     /* (N, 4C) by the argument of the GELU */
};

/* The same around the final norm, head and loss. */
struct pp_head_activations {
    /* Until backward-weight. */
    real *norm;   /* (N, C) input of ln_f, standardised */
    real *logits; /* (N, V) probabilities after forward; the gradient by the logits, in
                   * place, after backward-input */
    /* Until backward-input. */
    real *rstd; /* (N) */
};

/* All that a stage keeps from backward-input until backward-weight: its layers'
 * gradients, that by the output of ln_f (N, C), and those by the residual stream at
 * the layers' bounds (pp_stream_gradient). */

/* Dead between calls. */
struct pp_scratch {
    real *stream; /* (N, C) residual stream where there is no output to hold it */
    real *norm;   /* (N, C) output of a norm; gradient by the output of attention */
    real *square; /* (T, T) gradient by one head's attention weights */
};

/* Lays aligned arrays one after the other; without a base, only counts. */
struct pp_arena {
    real *base;
    size_t used; /* reals */
};
real *pp_arena_take(struct pp_arena *arena, size_t count);

/* Reals that an array of count takes up. */
size_t pp_arena_room(size_t count);

struct pp_layer_activations pp_layer_activations(const struct pp_stage *stage,
                                                 struct pp_kept kept, int layer);
struct pp_head_activations pp_head_activations(const struct pp_stage *stage,
                                               struct pp_kept kept);
/* Where the input of a block is kept; NULL where it is not. */
real *pp_block_input(const struct pp_stage *stage, struct pp_kept kept, int block);
struct pp_layer_gradients pp_layer_gradients(const struct pp_stage *stage,
                                             real *gradients, int layer);
struct pp_scratch pp_scratch(const struct pp_stage *stage);

/* Bounds between layers run from 0, before the first, to layers, after the last. The
 * neighbouring stages' buffers hold the gradients at the outer ones, except where there
 * is no neighbour; those from first to last are the stage's own. */
int pp_first_bound(const struct pp_stage *stage);
int pp_last_bound(const struct pp_stage *stage);

/* (N, C) gradient by the residual stream at a bound of the stage's own. */
real *pp_stream_gradient(const struct pp_stage *stage, real *gradients, int bound);

/* (N, C) gradient by the output of ln_f. */
real *pp_head_gradient(const struct pp_stage *stage, real *gradients);

/* Sizes in reals of the buffers of struct pp_pass, and of pp_stage.scratch. */
size_t pp_stage_transient_count(const struct pp_stage *stage);
size_t pp_stage_activation_count(const struct pp_stage *stage);
size_t pp_stage_input_count(const struct pp_stage *stage);
/* Transients and activations where there is room for one block alone: one buffer for
 * both, and how it is cut. */
size_t pp_block_reals(const struct pp_stage *stage);
struct pp_kept pp_block_alone(const struct pp_stage *stage, real *buffer);
size_t pp_stage_gradient_count(const struct pp_stage *stage);
size_t pp_stage_scratch_count(const struct pp_stage *stage);

#endif
