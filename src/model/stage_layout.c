#include "model/stage_layout.h"

static size_t tokens(const struct pp_stage *stage)
{
    return (size_t)stage->config.microbatch_size * (size_t)stage->config.seq_len;
}

size_t pp_arena_room(size_t count)
{
    size_t unit = PP_ALIGN / sizeof(real);
    return (count + unit - 1) / unit * unit;
}

real *pp_arena_take(struct pp_arena *arena, size_t count)
{
    real *array = arena->base ? arena->base + arena->used : NULL;
    arena->used += pp_arena_room(count);
    return array;
}

/* The two buffers of struct pp_kept. */
struct arenas {
    struct pp_arena transients, activations;
};

static struct pp_layer_activations take_layer_activations(const struct pp_stage *stage,
                                                          struct arenas *arenas)
{
    size_t N = tokens(stage), C = (size_t)stage->config.d_model;
    size_t T = (size_t)stage->config.seq_len, H = (size_t)stage->config.heads;
    struct pp_layer_activations a;
    a.norm_1 = pp_arena_take(&arenas->activations, N * C);
    a.mixed = pp_arena_take(&arenas->activations, N * C);
    a.norm_2 = pp_arena_take(&arenas->activations, N * C);
    a.gelu = pp_arena_take(&arenas->activations, N * 4 * C);
    a.rstd_1 = pp_arena_take(&arenas->transients, N);
    a.qkv = pp_arena_take(&arenas->transients, N * 3 * C);
    a.weights = pp_arena_take(&arenas->transients, N * H * T);
    a.rstd_2 = pp_arena_take(&arenas->transients, N);
    a.slope = pp_arena_take(&arenas->transients, N * 4 * C);
    return a;
}

static struct pp_layer_gradients take_layer_gradients(const struct pp_stage *stage,
                                                      struct pp_arena *arena)
{
    size_t N = tokens(stage), C = (size_t)stage->config.d_model;
    struct pp_layer_gradients g;
    g.norm_1 = pp_arena_take(arena, N * C);
    g.qkv = pp_arena_take(arena, N * 3 * C);
    g.middle = pp_arena_take(arena, N * C);
    g.norm_2 = pp_arena_take(arena, N * C);
    g.fc = pp_arena_take(arena, N * 4 * C);
    return g;
}

static struct pp_head_activations take_head_activations(const struct pp_stage *stage,
                                                        struct arenas *arenas)
{
    size_t N = tokens(stage);
    struct pp_head_activations a;
    a.norm = pp_arena_take(&arenas->activations, N * (size_t)stage->config.d_model);
    a.logits = pp_arena_take(&arenas->activations, N * (size_t)stage->config.vocab);
    a.rstd = pp_arena_take(&arenas->transients, N);
    return a;
}

static struct pp_scratch take_scratch(const struct pp_stage *stage,
                                      struct pp_arena *arena)
{
    size_t N = tokens(stage), C = (size_t)stage->config.d_model;
    size_t T = (size_t)stage->config.seq_len;
    struct pp_scratch s;
    s.stream = pp_arena_take(arena, N * C);
    s.norm = pp_arena_take(arena, N * C);
    s.square = pp_arena_take(arena, T * T);
    return s;
}

/* Reals of one layer in each buffer. */
static struct arenas layer_counts(const struct pp_stage *stage)
{
    struct arenas counts = {0};
    take_layer_activations(stage, &counts);
    return counts;
}

/* The buffers from where the layer-th layer begins. */
static struct arenas from_layer(const struct pp_stage *stage, struct pp_kept kept,
                                int layer)
{
    struct arenas one = layer_counts(stage);
    if (kept.alone)
        layer = 0;
    return (struct arenas){
        .transients = {kept.transients, (size_t)layer * one.transients.used},
        .activations = {kept.activations, (size_t)layer * one.activations.used},
    };
}

static size_t layer_gradient_count(const struct pp_stage *stage)
{
    struct pp_arena arena = {0};
    take_layer_gradients(stage, &arena);
    return arena.used;
}

/* The arrays of the layer-th layer of a stage, and those after the last. */
struct pp_layer_activations pp_layer_activations(const struct pp_stage *stage,
                                                 struct pp_kept kept, int layer)
{
    struct arenas arenas = from_layer(stage, kept, layer);
    return take_layer_activations(stage, &arenas);
}

struct pp_head_activations pp_head_activations(const struct pp_stage *stage,
                                               struct pp_kept kept)
{
    struct arenas arenas = from_layer(stage, kept, stage->layers);
    return take_head_activations(stage, &arenas);
}

struct pp_layer_gradients pp_layer_gradients(const struct pp_stage *stage,
                                             real *gradients, int layer)
{
    struct pp_arena arena = {gradients, (size_t)layer * layer_gradient_count(stage)};
    return take_layer_gradients(stage, &arena);
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
    size_t block = pp_arena_room(tokens(stage) * (size_t)stage->config.d_model);
    return gradients + (size_t)stage->layers * layer_gradient_count(stage) +
           (size_t)(bound - pp_first_bound(stage)) * block;
}

/* After all others. */
real *pp_head_gradient(const struct pp_stage *stage, real *gradients)
{
    return pp_stream_gradient(stage, gradients, pp_last_bound(stage) + 1);
}

/* Reals of the whole stage in each buffer. */
static struct arenas kept_counts(const struct pp_stage *stage)
{
    struct arenas counts = from_layer(stage, (struct pp_kept){0}, stage->layers);
    if (stage->head)
        take_head_activations(stage, &counts);
    return counts;
}

/* Reals of the head in each buffer. */
static struct arenas head_counts(const struct pp_stage *stage)
{
    struct arenas counts = {0};
    if (stage->head)
        take_head_activations(stage, &counts);
    return counts;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Reals of the largest block in each buffer. */
static struct arenas block_counts(const struct pp_stage *stage)
{
    struct arenas layer = {0}, head = head_counts(stage);
    if (stage->layers > 0)
        layer = layer_counts(stage);
    return (struct arenas){
        .transients.used = larger(layer.transients.used, head.transients.used),
        .activations.used = larger(layer.activations.used, head.activations.used),
    };
}

size_t pp_block_reals(const struct pp_stage *stage)
{
    struct arenas counts = block_counts(stage);
    return counts.transients.used + counts.activations.used;
}

struct pp_kept pp_block_alone(const struct pp_stage *stage, real *buffer)
{
    return (struct pp_kept){
        .transients = buffer,
        .activations = buffer + block_counts(stage).transients.used,
        .alone = true,
    };
}

/* Reals of a block's input. */
static size_t input_count(const struct pp_stage *stage)
{
    return pp_arena_room(tokens(stage) * (size_t)stage->config.d_model);
}

size_t pp_stage_input_count(const struct pp_stage *stage)
{
    switch (stage->config.recompute) {
    case PP_RECOMPUTE_NONE:
        break;
    case PP_RECOMPUTE_STAGE:
        return stage->embed ? 0 : input_count(stage);
    case PP_RECOMPUTE_BLOCK:
        return (size_t)pp_stage_blocks(stage) * input_count(stage);
    }
    return 0;
}

real *pp_block_input(const struct pp_stage *stage, struct pp_kept kept, int block)
{
    bool of_stage = stage->config.recompute == PP_RECOMPUTE_STAGE;
    if (!kept.inputs || (of_stage && (block > 0 || stage->embed)))
        return NULL;
    return kept.inputs + (size_t)block * input_count(stage);
}

size_t pp_stage_transient_count(const struct pp_stage *stage)
{
    return kept_counts(stage).transients.used;
}

size_t pp_stage_activation_count(const struct pp_stage *stage)
{
    return kept_counts(stage).activations.used;
}

size_t pp_stage_gradient_count(const struct pp_stage *stage)
{
    size_t block = pp_arena_room(tokens(stage) * (size_t)stage->config.d_model);
    size_t bounds = (size_t)(pp_last_bound(stage) + 1 - pp_first_bound(stage));
    return (size_t)stage->layers * layer_gradient_count(stage) +
           (bounds + (stage->head ? 1 : 0)) * block;
}

size_t pp_stage_scratch_count(const struct pp_stage *stage)
{
    struct pp_arena arena = {0};
    take_scratch(stage, &arena);
    return arena.used;
}

struct pp_scratch pp_scratch(const struct pp_stage *stage)
{
    struct pp_arena arena = {stage->scratch, 0};
    return take_scratch(stage, &arena);
}
