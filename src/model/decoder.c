#include "model/decoder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/layers.h"

/* A layer's parameters, in canonical order (config.h). */
struct pp_decoder_layer {
    float *norm_1_w, *norm_1_b; /* (C) */
    struct pp_panels attn;      /* (C, 3C) */
    float *attn_b;
    struct pp_panels attn_proj; /* (C, C) */
    float *attn_proj_b;
    float *norm_2_w, *norm_2_b;
    struct pp_panels fc; /* (C, 4C) */
    float *fc_b;
    struct pp_panels fc_proj; /* (4C, C) */
    float *fc_proj_b;
};

/* Floats up to whole lines of the cache. */
static size_t lines(size_t count)
{
    size_t unit = PP_ALIGN / sizeof(float);
    return (count + unit - 1) / unit * unit;
}

/* --- memory --------------------------------------------------------------------- */

/* Takes arrays one behind the other; base NULL only counts. */
struct room {
    float *base;
    size_t used;
};

static float *take(struct room *room, size_t count)
{
    float *array = room->base ? room->base + room->used : NULL;
    room->used += lines(count);
    return array;
}

static struct pp_panels take_panels(struct room *room, int inputs, int outputs)
{
    return (struct pp_panels){inputs, outputs,
                              take(room, pp_panels_count(inputs, outputs))};
}

static struct pp_decoder_layer take_layer(struct room *room, int C)
{
    size_t c = (size_t)C;
    struct pp_decoder_layer layer;
    layer.norm_1_w = take(room, c);
    layer.norm_1_b = take(room, c);
    layer.attn_b = take(room, 3 * c);
    layer.attn = take_panels(room, C, 3 * C);
    layer.attn_proj_b = take(room, c);
    layer.attn_proj = take_panels(room, C, C);
    layer.norm_2_w = take(room, c);
    layer.norm_2_b = take(room, c);
    layer.fc_b = take(room, 4 * c);
    layer.fc = take_panels(room, C, 4 * C);
    layer.fc_proj_b = take(room, c);
    layer.fc_proj = take_panels(room, 4 * C, C);
    return layer;
}

/* All parameters, in the order in which a token meets them: they are read as one
 * stream. */
static void take_parameters(struct pp_decoder *decoder, struct room *room)
{
    const struct pp_model_config *config = &decoder->config;
    int C = config->d_model, V = config->vocab;
    bool shared = decoder->embed && decoder->head && !config->untied;
    if (decoder->embed) {
        decoder->wpe = take(room, (size_t)config->seq_len * (size_t)C);
        if (!shared)
            decoder->wte = take_panels(room, C, V);
    }
    for (int i = 0; i < decoder->layers; i++) {
        struct pp_decoder_layer layer = take_layer(room, C);
        if (decoder->parts)
            decoder->parts[i] = layer;
    }
    if (decoder->head) {
        decoder->norm_w = take(room, (size_t)C);
        decoder->norm_b = take(room, (size_t)C);
        decoder->lm_head = take_panels(room, C, V);
    }
    if (shared)
        decoder->wte = decoder->lm_head;
}

/* What one call computes with. Every row begins at a line of the cache, so that it is
 * computed by the same instructions as every other; and is an odd number of lines long,
 * so that the rows of a tile do not fall into one set of the cache. */
struct scratch {
    size_t norm_stride, qkv_stride, wide_stride;
    float *norm; /* (N, norm_stride) what a product reads, or attention's result */
    float *standard, *rstd; /* (C), (1) of a norm */
    float *qkv;             /* (N, qkv_stride) */
    float *wide;            /* (N, wide_stride) in the MLP */
    float *slope;           /* (wide_stride), which no one reads */
};

static size_t row_stride(size_t count)
{
    size_t line = PP_ALIGN / sizeof(float);
    return lines(count) | line;
}

static struct scratch take_scratch(const struct pp_decoder *decoder, struct room *room)
{
    size_t N = (size_t)decoder->most_rows, C = (size_t)decoder->config.d_model;
    struct scratch s = {row_stride(C), row_stride(3 * C), row_stride(4 * C)};
    s.norm = take(room, N * s.norm_stride);
    s.standard = take(room, C);
    s.rstd = take(room, 1);
    s.qkv = take(room, N * s.qkv_stride);
    s.wide = take(room, N * s.wide_stride);
    s.slope = take(room, s.wide_stride);
    return s;
}

int pp_decoder_init(struct pp_decoder *decoder, const struct pp_model_config *config,
                    int first_layer, int layers, bool embed, bool head, int most_rows,
                    struct pp_error *error)
{
    *decoder = (struct pp_decoder){.config = *config,
                                   .first_layer = first_layer,
                                   .layers = layers,
                                   .embed = embed,
                                   .head = head,
                                   .most_rows = most_rows};
    struct room parameters = {0}, scratch = {0};
    take_parameters(decoder, &parameters);
    take_scratch(decoder, &scratch);
    decoder->parts = calloc((size_t)layers + 1, sizeof *decoder->parts);
    decoder->values = pp_large_alloc(parameters.used * sizeof(float));
    decoder->scratch = pp_large_alloc(scratch.used * sizeof(float));
    if (!decoder->parts || !decoder->values || !decoder->scratch) {
        pp_decoder_release(decoder);
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the parameters of layers %d to %d",
                       first_layer, first_layer + layers - 1);
    }
    decoder->parameter_bytes = parameters.used * sizeof(float);
    parameters = (struct room){decoder->values, 0};
    take_parameters(decoder, &parameters);
    return 0;
}

void pp_decoder_release(struct pp_decoder *decoder)
{
    free(decoder->scratch);
    free(decoder->values);
    free(decoder->parts);
    *decoder = (struct pp_decoder){0};
}

/* --- parameters ----------------------------------------------------------------- */

/* Where a tensor's values go: an array as it is, or panels; neither: it is not held. */
struct place {
    float *plain;
    const struct pp_panels *panels;
    bool transposed; /* the tensor is (outputs, inputs) */
};

static struct place place_in_layer(const struct pp_decoder_layer *layer, int which)
{
    const struct place places[PP_LAYER_TENSORS] = {
        {.plain = layer->norm_1_w},    {.plain = layer->norm_1_b},
        {.panels = &layer->attn},      {.plain = layer->attn_b},
        {.panels = &layer->attn_proj}, {.plain = layer->attn_proj_b},
        {.plain = layer->norm_2_w},    {.plain = layer->norm_2_b},
        {.panels = &layer->fc},        {.plain = layer->fc_b},
        {.panels = &layer->fc_proj},   {.plain = layer->fc_proj_b},
    };
    return places[which];
}

static struct place place_of(const struct pp_decoder *decoder, int index)
{
    bool tied = !decoder->config.untied;
    int behind = index - 2; /* wte and wpe come before the layers */
    int own = behind - decoder->first_layer * PP_LAYER_TENSORS;
    int after = behind - decoder->config.layers * PP_LAYER_TENSORS;
    struct place nowhere = {0};
    if (index == 0 && decoder->embed)
        return (struct place){.panels = &decoder->wte, .transposed = true};
    if (index == 1 && decoder->embed)
        return (struct place){.plain = decoder->wpe};
    if (decoder->head && (index == 0 ? tied : after == 2))
        return (struct place){.panels = &decoder->lm_head, .transposed = true};
    if (decoder->head && (after == 0 || after == 1))
        return (struct place){.plain = after == 0 ? decoder->norm_w : decoder->norm_b};
    if (behind < 0 || own < 0 || own >= decoder->layers * PP_LAYER_TENSORS)
        return nowhere;
    return place_in_layer(&decoder->parts[own / PP_LAYER_TENSORS],
                          own % PP_LAYER_TENSORS);
}

bool pp_decoder_holds(const struct pp_decoder *decoder, int index)
{
    struct place place = place_of(decoder, index);
    return place.plain || place.panels;
}

void pp_decoder_set(struct pp_decoder *decoder, int index, const float *data)
{
    struct place place = place_of(decoder, index);
    assert(place.plain || place.panels);
    if (place.plain)
        memcpy(place.plain, data,
               pp_model_tensor(&decoder->config, index).count * sizeof *data);
    else if (place.transposed)
        pp_panels_pack_transposed(place.panels, data);
    else
        pp_panels_pack(place.panels, data);
}

/* --- rows ----------------------------------------------------------------------- */

int pp_pieces_rows(const struct pp_piece *pieces, int count)
{
    int rows = 0;
    for (int i = 0; i < count; i++)
        rows += pieces[i].count;
    return rows;
}

/* x (N, C) of the pieces' tokens and positions. */
static void embed(const struct pp_decoder *decoder, const struct pp_piece *pieces,
                  int count, const int32_t *tokens, float *x)
{
    int C = decoder->config.d_model;
    for (int i = 0; i < count; i++)
        for (int j = 0; j < pieces[i].count; j++, x += C) {
            const float *position =
                decoder->wpe + (size_t)(pieces[i].position + j) * (size_t)C;
            pp_panels_column(x, &decoder->wte, *tokens++);
            for (int c = 0; c < C; c++)
                x[c] += position[c];
        }
}

static void norm(const struct scratch *s, const float *x, const float *w,
                 const float *b, int N, int C)
{
    for (int n = 0; n < N; n++)
        pp_layernorm_forward(s->norm + (size_t)n * s->norm_stride, s->standard, s->rstd,
                             x + (size_t)n * (size_t)C, w, b, 1, C);
}

/* Attention of the rows of s->qkv into s->norm. */
static void attend(const struct scratch *s, struct pp_cache *cache, int layer,
                   const struct pp_piece *pieces, int count)
{
    float *y = s->norm, *qkv = s->qkv;
    for (int i = 0; i < count; i++) {
        const struct pp_piece *piece = &pieces[i];
        pp_cache_store(cache, layer, piece->slot, piece->position, piece->count, qkv,
                       s->qkv_stride);
        pp_cache_attend(y, s->norm_stride, cache, layer, piece->slot, piece->position,
                        piece->count, qkv, s->qkv_stride);
        y += (size_t)piece->count * s->norm_stride;
        qkv += (size_t)piece->count * s->qkv_stride;
    }
}

/* A layer of the residual stream x (N, C), in place. */
static void layer_forward(const struct pp_decoder *decoder, int layer,
                          const struct scratch *s, struct pp_cache *cache,
                          const struct pp_piece *pieces, int count, float *x)
{
    const struct pp_decoder_layer *p = &decoder->parts[layer];
    int N = pp_pieces_rows(pieces, count), C = decoder->config.d_model;
    size_t c = (size_t)C;

    norm(s, x, p->norm_1_w, p->norm_1_b, N, C);
    pp_product(s->qkv, NULL, s->qkv_stride, s->norm, s->norm_stride, &p->attn,
               p->attn_b, N);
    attend(s, cache, layer, pieces, count);
    pp_product(x, x, c, s->norm, s->norm_stride, &p->attn_proj, p->attn_proj_b, N);
    norm(s, x, p->norm_2_w, p->norm_2_b, N, C);
    pp_product(s->wide, NULL, s->wide_stride, s->norm, s->norm_stride, &p->fc, p->fc_b,
               N);
    for (int n = 0; n < N; n++) /* whole lines: vectors alone, and no remainder */
        pp_gelu_forward(s->wide + (size_t)n * s->wide_stride, s->slope, lines(4 * c));
    pp_product(x, x, c, s->wide, s->wide_stride, &p->fc_proj, p->fc_proj_b, N);
}

void pp_decoder_forward(struct pp_decoder *decoder, struct pp_cache *cache,
                        const struct pp_piece *pieces, int count, const int32_t *tokens,
                        float *x)
{
    struct room room = {decoder->scratch, 0};
    struct scratch s = take_scratch(decoder, &room);
    assert(pp_pieces_rows(pieces, count) <= decoder->most_rows);
    if (decoder->embed)
        embed(decoder, pieces, count, tokens, x);
    for (int i = 0; i < decoder->layers; i++) {
        layer_forward(decoder, i, &s, cache, pieces, count, x);
        if (decoder->poll)
            decoder->poll(decoder->poll_data);
    }
}

void pp_decoder_logits(struct pp_decoder *decoder, const float *x, const int *rows,
                       int count, float *logits)
{
    struct room room = {decoder->scratch, 0};
    struct scratch s = take_scratch(decoder, &room);
    int C = decoder->config.d_model;
    assert(decoder->head && count <= decoder->most_rows);
    for (int i = 0; i < count; i++)
        pp_layernorm_forward(s.norm + (size_t)i * s.norm_stride, s.standard, s.rstd,
                             x + (size_t)rows[i] * (size_t)C, decoder->norm_w,
                             decoder->norm_b, 1, C);
    pp_product(logits, NULL, (size_t)decoder->config.vocab, s.norm, s.norm_stride,
               &decoder->lm_head, NULL, count);
}
