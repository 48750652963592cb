#include "model/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/fused.h"
#include "model/vector_math.h"

/* --- blocks --------------------------------------------------------------------- */

/* In a block lie, head after head, the keys, then the values. Scores are summed in
 * lanes of positions, so a head's keys are (D, PP_BLOCK); values in lanes of
 * components, so they are (PP_BLOCK, D), each row filled up to whole lanes. */
static size_t key_floats(int width)
{
    return (size_t)width * PP_BLOCK;
}

static size_t value_stride(int width)
{
    return (size_t)(width + PP_BLOCK - 1) / PP_BLOCK * PP_BLOCK;
}

static size_t block_floats(int heads, int width)
{
    return (size_t)heads * (key_floats(width) + PP_BLOCK * value_stride(width));
}

int pp_cache_blocks_of(int positions)
{
    return positions / PP_BLOCK + (positions % PP_BLOCK > 0 ? 1 : 0);
}

size_t pp_cache_bytes(const struct pp_model_config *config, int layers, int blocks)
{
    return (size_t)layers * (size_t)blocks *
           block_floats(config->heads, config->d_model / config->heads) * sizeof(float);
}

int pp_cache_init(struct pp_cache *cache, const struct pp_model_config *config,
                  int layers, int slots, int blocks, struct pp_error *error)
{
    int slot_blocks = pp_cache_blocks_of(config->seq_len);
    *cache = (struct pp_cache){
        .layers = layers,
        .heads = config->heads,
        .width = config->d_model / config->heads,
        .slots = slots,
        .blocks = blocks,
        .slot_blocks = slot_blocks,
        .free_count = blocks,
        .bytes = pp_cache_bytes(config, layers, blocks),
    };
    cache->block_floats = block_floats(cache->heads, cache->width);
    cache->table = calloc((size_t)slots * (size_t)slot_blocks, sizeof *cache->table);
    cache->held = calloc((size_t)slots, sizeof *cache->held);
    cache->free_blocks = calloc((size_t)blocks, sizeof *cache->free_blocks);
    /* Zeros: what a block does not hold yet is computed with, and then left out. */
    cache->data = pp_touched_alloc(cache->bytes);
    cache->scores =
        pp_touched_alloc((size_t)slot_blocks * PP_BLOCK * sizeof *cache->scores);
    cache->mixed = pp_touched_alloc(value_stride(cache->width) * sizeof *cache->mixed);
    if (!cache->table || !cache->held || !cache->free_blocks || !cache->data ||
        !cache->scores || !cache->mixed) {
        size_t bytes = cache->bytes;
        pp_cache_release(cache);
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for %zu bytes of keys and values", bytes);
    }
    for (int i = 0; i < blocks; i++) /* so that the lowest is taken first */
        cache->free_blocks[i] = blocks - 1 - i;
    return 0;
}

void pp_cache_release(struct pp_cache *cache)
{
    free(cache->mixed);
    free(cache->scores);
    free(cache->data);
    free(cache->free_blocks);
    free(cache->held);
    free(cache->table);
    *cache = (struct pp_cache){0};
}

static int *table_of(const struct pp_cache *cache, int slot)
{
    return cache->table + (size_t)slot * (size_t)cache->slot_blocks;
}

int pp_cache_reserve(struct pp_cache *cache, int slot, int positions)
{
    int wanted = pp_cache_blocks_of(positions);
    assert(slot >= 0 && slot < cache->slots && wanted <= cache->slot_blocks);
    if (wanted - cache->held[slot] > cache->free_count)
        return -1;
    while (cache->held[slot] < wanted)
        table_of(cache, slot)[cache->held[slot]++] =
            cache->free_blocks[--cache->free_count];
    return 0;
}

void pp_cache_free(struct pp_cache *cache, int slot)
{
    while (cache->held[slot] > 0)
        cache->free_blocks[cache->free_count++] =
            table_of(cache, slot)[--cache->held[slot]];
}

/* --- positions ------------------------------------------------------------------ */

/* A head's keys and values in the block-th block of a slot. */
static float *keys(const struct pp_cache *cache, int layer, int slot, int block,
                   int head)
{
    size_t at =
        (size_t)layer * (size_t)cache->blocks + (size_t)table_of(cache, slot)[block];
    return cache->data + at * cache->block_floats +
           (size_t)head * key_floats(cache->width);
}

static float *values(const struct pp_cache *cache, int layer, int slot, int block,
                     int head)
{
    return keys(cache, layer, slot, block, 0) +
           (size_t)cache->heads * key_floats(cache->width) +
           (size_t)head * PP_BLOCK * value_stride(cache->width);
}

void pp_cache_store(struct pp_cache *cache, int layer, int slot, int position,
                    int count, const float *qkv, size_t stride)
{
    int H = cache->heads, D = cache->width, C = H * D;
    assert(pp_cache_blocks_of(position + count) <= cache->held[slot]);
    for (int i = 0; i < count; i++)
        for (int h = 0; h < H; h++) {
            int block = (position + i) / PP_BLOCK, within = (position + i) % PP_BLOCK;
            const float *key = qkv + (size_t)i * stride + C + (size_t)h * (size_t)D;
            const float *value = key + C;
            float *k = keys(cache, layer, slot, block, h);
            float *v = values(cache, layer, slot, block, h);
            for (int d = 0; d < D; d++)
                k[d * PP_BLOCK + within] = key[d];
            memcpy(v + (size_t)within * value_stride(D), value,
                   (size_t)D * sizeof *value);
        }
}

/* --- attention ------------------------------------------------------------------ */

enum { PARTS = PP_BLOCK / PP_LANES };

/* scores [PP_BLOCK] = scale q k, of a block's keys k (D, PP_BLOCK). */
static void score_block(float *scores, const float *q, const float *k, int D,
                        float scale)
{
    pp_vector sums[PARTS] = {{0}};
    for (int d = 0; d < D; d++) {
        pp_vector v = pp_spread(q[d]);
        for (int i = 0; i < PARTS; i++)
            sums[i] = pp_fused(v, *(const pp_vector *)(k + d * PP_BLOCK + i * PP_LANES),
                               sums[i]);
    }
    for (int i = 0; i < PARTS; i++)
        *(pp_vector *)(scores + i * PP_LANES) = sums[i] * scale;
}

/* Exponentials of the first seen scores relative to their maximum, 0 behind them up to
 * the end of a block. Returns their sum: of each place in a block, by ascending blocks,
 * then of these in halves. Whole blocks are computed, so that each exponential is a
 * lane's; capped at exp(0), because what is not seen may exceed the maximum. */
static float exponentials(float *restrict scores, int seen)
{
    int whole = pp_cache_blocks_of(seen) * PP_BLOCK;
    float most = scores[0], sums[PP_BLOCK] = {0};
    for (int i = 1; i < seen; i++)
        most = scores[i] > most ? scores[i] : most;
    for (int i = 0; i < whole; i++) {
        float below = scores[i] - most;
        scores[i] = expf(below > 0 ? 0 : below);
    }
    for (int i = seen; i < whole; i++)
        scores[i] = 0;
    for (int block = 0; block < whole; block += PP_BLOCK)
        for (int i = 0; i < PP_BLOCK; i++)
            sums[i] += scores[block + i];
    for (int width = PP_BLOCK / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            sums[i] += sums[i + width];
    return sums[0];
}

/* sums (D up to whole lanes) += p v, of count values v. */
static void weigh_block(float *sums, const float *p, const float *v, int count,
                        int stride)
{
    for (int d = 0; d < stride; d += PP_LANES) {
        pp_vector sum = *(const pp_vector *)(sums + d);
        for (int u = 0; u < count; u++)
            sum = pp_fused(pp_spread(p[u]), *(const pp_vector *)(v + u * stride + d),
                           sum);
        *(pp_vector *)(sums + d) = sum;
    }
}

/* y (D) = attention of one head's query q over the first seen positions of a slot. */
static void attend_head(float *y, struct pp_cache *cache, int layer, int slot, int head,
                        const float *q, int seen)
{
    int D = cache->width, stride = (int)value_stride(D);
    float *scores = cache->scores, *mixed = cache->mixed;
    float scale = 1 / sqrtf((float)D);
    int blocks = pp_cache_blocks_of(seen);
    for (int b = 0; b < blocks; b++)
        score_block(scores + b * PP_BLOCK, q, keys(cache, layer, slot, b, head), D,
                    scale);
    float inverse = 1 / exponentials(scores, seen);
    memset(mixed, 0, (size_t)stride * sizeof *mixed);
    for (int b = 0; b < blocks; b++) {
        int rest = seen - b * PP_BLOCK;
        weigh_block(mixed, scores + b * PP_BLOCK, values(cache, layer, slot, b, head),
                    rest < PP_BLOCK ? rest : PP_BLOCK, stride);
    }
    for (int d = 0; d < D; d++)
        y[d] = mixed[d] * inverse;
}

void pp_cache_attend(float *y, size_t y_stride, struct pp_cache *cache, int layer,
                     int slot, int position, int count, const float *qkv, size_t stride)
{
    for (int h = 0; h < cache->heads; h++)
        for (int i = 0; i < count; i++) {
            size_t at = (size_t)h * (size_t)cache->width;
            attend_head(y + (size_t)i * y_stride + at, cache, layer, slot, h,
                        qkv + (size_t)i * stride + at, position + i + 1);
        }
}
