#include "model/stage_layout.h"

static size_t tokens(const struct pp_stage *stage)
{
    return (size_t)stage->config.microbatch_size * (size_t)stage->config.seq_len;
}

size_t pp_layout_room(size_t count)
{
    size_t unit = PP_ALIGN / sizeof(real);
    return (count + unit - 1) / unit * unit;
}

real *pp_layout_take(struct pp_layout *layout, size_t count)
{
    real *array = layout->base ? layout->base + layout->used : NULL;
    layout->used += pp_layout_room(count);
    return array;
}

static struct pp_layer_activations take_layer_activations(const struct pp_stage *stage,
                                                          struct pp_layout *layout)
{
    size_t N = tokens(stage), C = (size_t)stage->config.d_model;
    size_t T = (size_t)stage->config.seq_len, H = (size_t)stage->config.heads;
    struct pp_layer_activations a;
    a.norm_1 = pp_layout_take(layout, N * C);
    a.rstd_1 = pp_layout_take(layout, N);
    a.qkv = pp_layout_take(layout, N * 3 * C);
    a.weights = pp_layout_take(layout, N * H * T);
    a.mixed = pp_layout_take(layout, N * C);
    a.norm_2 = pp_layout_take(layout, N * C);
    a.rstd_2 = pp_layout_take(layout, N);
    a.gelu = pp_layout_take(layout, N * 4 * C);
    a.slope = pp_layout_take(layout, N * 4 * C);
    return a;
}

static struct pp_layer_gradients take_layer_gradients(const struct pp_stage *stage,
                                                      struct pp_layout *layout)
{
    size_t N = tokens(stage), C = (size_t)stage->config.d_model;
    struct pp_layer_gradients g;
    g.norm_1 = pp_layout_take(layout, N * C);
    g.qkv = pp_layout_take(layout, N * 3 * C);
    g.middle = pp_layout_take(layout, N * C);
    g.norm_2 = pp_layout_take(layout, N * C);
    g.fc = pp_layout_take(layout, N * 4 * C);
    return g;
}

static struct pp_head_activations take_head_activations(const struct pp_stage *stage,
                                                        struct pp_layout *layout)
{
    size_t N = tokens(stage);
    struct pp_head_activations a;
    a.norm = pp_layout_take(layout, N * (size_t)stage->config.d_model);
    a.rstd = pp_layout_take(layout, N);
    a.logits = pp_layout_take(layout, N * (size_t)stage->config.vocab);
    return a;
}

static struct pp_scratch take_scratch(const struct pp_stage *stage,
                                      struct pp_layout *layout)
{
    size_t N = tokens(stage), C = (size_t)stage->config.d_model;
    size_t T = (size_t)stage->config.seq_len;
    struct pp_scratch s;
    s.stream = pp_layout_take(layout, N * C);
    s.norm = pp_layout_take(layout, N * C);
    s.square = pp_layout_take(layout, T * T);
    return s;
}

static size_t layer_activation_count(const struct pp_stage *stage)
{
    struct pp_layout layout = {0};
    take_layer_activations(stage, &layout);
    return layout.used;
}

static size_t layer_gradient_count(const struct pp_stage *stage)
{
    struct pp_layout layout = {0};
    take_layer_gradients(stage, &layout);
    return layout.used;
}

/* The arrays of the layer-th layer of a stage, and those after the last. */
struct pp_layer_activations pp_layer_activations(const struct pp_stage *stage,
                                                 real *activations, int layer)
{
    struct pp_layout layout = {activations,
                               (size_t)layer * layer_activation_count(stage)};
    return take_layer_activations(stage, &layout);
}

struct pp_head_activations pp_head_activations(const struct pp_stage *stage,
                                               real *activations)
{
    struct pp_layout layout = {activations,
                               (size_t)stage->layers * layer_activation_count(stage)};
    return take_head_activations(stage, &layout);
}

struct pp_layer_gradients pp_layer_gradients(const struct pp_stage *stage,
                                             real *gradients, int layer)
{
    struct pp_layout layout = {gradients, (size_t)layer * layer_gradient_count(stage)};
    return take_layer_gradients(stage, &layout);
}

int pp_first_bound(const struct pp_stage *stage)
{
    return stage->embed ? 0 : 1;
}

int pp_last_bound(const struct pp_stage *stage)
{
    return stage->head ? stage->layers : stage->layers - 1;
}

real *pp_stream_gradient(const struct pp_stage *stage, real *gradients, int bound)
{
    size_t block = pp_layout_room(tokens(stage) * (size_t)stage->config.d_model);
    return gradients + (size_t)stage->layers * layer_gradient_count(stage) +
           (size_t)(bound - pp_first_bound(stage)) * block;
}

/* After all others. */
real *pp_head_gradient(const struct pp_stage *stage, real *gradients)
{
    return pp_stream_gradient(stage, gradients, pp_last_bound(stage) + 1);
}

size_t pp_stage_activation_count(const struct pp_stage *stage)
{
    struct pp_layout layout = {0};
    if (stage->head)
        take_head_activations(stage, &layout);
    return (size_t)stage->layers * layer_activation_count(stage) + layout.used;
}

size_t pp_stage_gradient_count(const struct pp_stage *stage)
{
    size_t block = pp_layout_room(tokens(stage) * (size_t)stage->config.d_model);
    size_t bounds = (size_t)(pp_last_bound(stage) + 1 - pp_first_bound(stage));
    return (size_t)stage->layers * layer_gradient_count(stage) +
           (bounds + (stage->head ? 1 : 0)) * block;
}

size_t pp_stage_scratch_count(const struct pp_stage *stage)
{
    struct pp_layout layout = {0};
    take_scratch(stage, &layout);
    return layout.used;
}

struct pp_scratch pp_scratch(const struct pp_stage *stage)
{
    struct pp_layout layout = {stage->scratch, 0};
    return take_scratch(stage, &layout);
}
