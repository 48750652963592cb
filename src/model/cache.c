#include "model/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/fused.h"
#include "model/vector_math.h"

/* Vectors of a block's positions; and queries that are attended at once, so that a
 * chunk's keys and values are fetched less often. */
enum { PARTS = PP_BLOCK / PP_LANES, QUERIES = 4, WEIGHED = 4 };

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
    cache->data = pp_large_alloc(cache->bytes);
    size_t rows = QUERIES * (size_t)cache->heads;
    cache->scores =
        pp_touched_alloc(rows * (size_t)slot_blocks * PP_BLOCK * sizeof *cache->scores);
    cache->mixed =
        pp_touched_alloc(rows * value_stride(cache->width) * sizeof *cache->mixed);
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

/* scores (count, PP_BLOCK), scores_stride apart, = scale q k, of queries q (count, D),
 * q_stride apart, and a block's keys k (D, PP_BLOCK). count is a constant where this is
 * inlined, so that the sums are registers. */
__attribute__((always_inline)) static inline void
score_block(int count, float *scores, size_t scores_stride, const float *q,
            size_t q_stride, const float *k, int D, float scale)
{
    pp_vector sums[QUERIES][PARTS];
    for (int j = 0; j < count; j++)
        for (int i = 0; i < PARTS; i++)
            sums[j][i] = pp_spread(0);
    for (int d = 0; d < D; d++, k += PP_BLOCK)
        for (int j = 0; j < count; j++)
            for (int i = 0; i < PARTS; i++)
                sums[j][i] =
                    pp_fused(pp_spread(q[(size_t)j * q_stride + (size_t)d]),
                             *(const pp_vector *)(k + i * PP_LANES), sums[j][i]);
    for (int j = 0; j < count; j++)
        for (int i = 0; i < PARTS; i++)
            *(pp_vector *)(scores + (size_t)j * scores_stride + i * PP_LANES) =
                sums[j][i] * scale;
}

/* The first seen scores become their softmax, 0 behind them up to the end of a block.
 * The exponentials are summed by each place in a block, ascending, then in halves.
 * Whole blocks are computed, so that each exponential is a lane's. */
static void softmax(float *restrict scores, int seen)
{
    int whole = pp_cache_blocks_of(seen) * PP_BLOCK;
    float most[PP_BLOCK], sums[PP_BLOCK] = {0};
    for (int i = seen; i < whole; i++) /* what changes no maximum */
        scores[i] = scores[0];
    for (int i = 0; i < PP_BLOCK; i++)
        most[i] = scores[0];
    for (int block = 0; block < whole; block += PP_BLOCK)
        for (int i = 0; i < PP_BLOCK; i++)
            most[i] = scores[block + i] > most[i] ? scores[block + i] : most[i];
    for (int i = 1; i < PP_BLOCK; i++)
        most[0] = most[i] > most[0] ? most[i] : most[0];
    for (int i = 0; i < whole; i++)
        scores[i] = expf(scores[i] - most[0]);
    for (int i = seen; i < whole; i++)
        scores[i] = 0;
    for (int block = 0; block < whole; block += PP_BLOCK)
        for (int i = 0; i < PP_BLOCK; i++)
            sums[i] += scores[block + i];
    for (int width = PP_BLOCK / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            sums[i] += sums[i + width];
    float inverse = 1 / sums[0];
    for (int i = 0; i < whole; i++)
        scores[i] *= inverse;
}

/* vectors of mixed += p v, of count values v, stride apart. vectors is a constant where
 * this is inlined, so that the sums are registers. */
__attribute__((always_inline)) static inline void
weigh_vectors(int vectors, float *mixed, const float *p, const float *v, int count,
              size_t stride)
{
    pp_vector sums[WEIGHED];
    for (int i = 0; i < vectors; i++)
        sums[i] = *(const pp_vector *)(mixed + i * PP_LANES);
    for (int u = 0; u < count; u++, v += stride)
        for (int i = 0; i < vectors; i++)
            sums[i] = pp_fused(pp_spread(p[u]), *(const pp_vector *)(v + i * PP_LANES),
                               sums[i]);
    for (int i = 0; i < vectors; i++)
        *(pp_vector *)(mixed + i * PP_LANES) = sums[i];
}

/* mixed (D up to whole lanes) += p v, of count values v. */
static void weigh_block(float *mixed, const float *p, const float *v, int count,
                        size_t stride)
{
    size_t d = 0;
    for (; d + WEIGHED * PP_LANES <= stride; d += WEIGHED * PP_LANES)
        weigh_vectors(WEIGHED, mixed + d, p, v + d, count, stride);
    for (; d < stride; d += PP_LANES)
        weigh_vectors(1, mixed + d, p, v + d, count, stride);
}

/* Queries of one slot, one position after the other. */
struct queries {
    const struct pp_cache *cache;
    int layer, slot;
    int position, count; /* the first one's; at most QUERIES */
    const float *rows;   /* their queries, stride apart */
    size_t stride;
};

/* A query's scores of a head, and its weighted values: in the scratch. */
static size_t scores_stride(const struct pp_cache *cache)
{
    return (size_t)cache->slot_blocks * PP_BLOCK;
}

static float *scores_of(const struct pp_cache *cache, int query, int head)
{
    return cache->scores + (size_t)(query + head * QUERIES) * scores_stride(cache);
}

static float *mixed_of(const struct pp_cache *cache, int query, int head)
{
    return cache->mixed + (size_t)(query + head * QUERIES) * value_stride(cache->width);
}

/* Scores of a block: the keys of all heads, which lie side by side. */
static void score(const struct queries *q, int block)
{
    int D = q->cache->width;
    size_t stride = scores_stride(q->cache);
    float scale = 1 / sqrtf((float)D);
    for (int h = 0; h < q->cache->heads; h++) {
        const float *k = keys(q->cache, q->layer, q->slot, block, h);
        const float *rows = q->rows + (size_t)h * (size_t)D;
        float *scores = scores_of(q->cache, 0, h) + block * PP_BLOCK;
        if (q->count == QUERIES)
            score_block(QUERIES, scores, stride, rows, q->stride, k, D, scale);
        else
            for (int i = 0; i < q->count; i++)
                score_block(1, scores + (size_t)i * stride, stride,
                            rows + (size_t)i * q->stride, q->stride, k, D, scale);
    }
}

/* The values of a block that a query sees, weighted. */
static void weigh(const struct queries *q, int block)
{
    size_t stride = value_stride(q->cache->width);
    for (int h = 0; h < q->cache->heads; h++) {
        const float *v = values(q->cache, q->layer, q->slot, block, h);
        for (int i = 0; i < q->count; i++) {
            int seen = q->position + i + 1 - block * PP_BLOCK;
            weigh_block(mixed_of(q->cache, i, h),
                        scores_of(q->cache, i, h) + block * PP_BLOCK, v,
                        seen < PP_BLOCK ? seen : PP_BLOCK, stride);
        }
    }
}

/* y: count rows (C), y_stride apart. */
static void attend(const struct queries *q, float *y, size_t y_stride)
{
    int H = q->cache->heads, D = q->cache->width;
    int blocks = pp_cache_blocks_of(q->position + q->count);
    for (int b = 0; b < blocks; b++)
        score(q, b);
    for (int i = 0; i < q->count; i++)
        for (int h = 0; h < H; h++)
            softmax(scores_of(q->cache, i, h), q->position + i + 1);
    memset(q->cache->mixed, 0,
           (size_t)(QUERIES * H) * value_stride(D) * sizeof *q->cache->mixed);
    for (int b = 0; b < blocks; b++)
        weigh(q, b);
    for (int i = 0; i < q->count; i++)
        for (int h = 0; h < H; h++)
            memcpy(y + (size_t)i * y_stride + (size_t)h * (size_t)D,
                   mixed_of(q->cache, i, h), (size_t)D * sizeof *y);
}

void pp_cache_attend(float *y, size_t y_stride, struct pp_cache *cache, int layer,
                     int slot, int position, int count, const float *qkv, size_t stride)
{
    for (int i = 0; i < count; i += QUERIES) {
        int rest = count - i;
        struct queries queries = {cache,
                                  layer,
                                  slot,
                                  position + i,
                                  rest < QUERIES ? rest : QUERIES,
                                  qkv + (size_t)i * stride,
                                  stride};
        attend(&queries, y + (size_t)i * y_stride, y_stride);
    }
}
