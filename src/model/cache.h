/* Keys and values of the positions that a sequence has behind it, for the layers of one
 * stage, and the attention over them. The memory is there from the start, cut into
 * blocks of PP_BLOCK positions; a sequence has a slot, and takes blocks as it grows
 * (Kwon et al., Efficient Memory Management for Large Language Model Serving with
 * PagedAttention, arXiv 2309.06180, §4). Which blocks those are changes no bit.
 *
 * Dimension legend: T positions a sequence may have, C = d_model, H heads, D = C / H,
 * row-major. */
#ifndef PP_MODEL_CACHE_H
#define PP_MODEL_CACHE_H

#include <stddef.h>

#include "base/error.h"
#include "model/config.h"

enum { PP_BLOCK = 16 };

struct pp_cache {
    int layers, heads, width; /* of this stage; width is D */
    int slots, blocks;
    int slot_blocks;     /* the most that a slot may have: those of T positions */
    int *table;          /* [slots][slot_blocks]: a slot's blocks, in order */
    int *held;           /* [slots]: how many it has */
    int *free_blocks;    /* [free_count], on a stack */
    int free_count;      /* blocks that no slot has */
    size_t block_floats; /* a block's keys and values in one layer */
    size_t bytes;        /* of all blocks in all layers */
    float *data;         /* [layers][blocks][block_floats] */
    float *scores;       /* scratch of the attention, and */
    float *mixed;        /* the same */
};

/* Blocks that positions take: 0 for none. */
int pp_cache_blocks_of(int positions);

/* Bytes that pp_cache_init allocates for blocks blocks of layers layers. */
size_t pp_cache_bytes(const struct pp_model_config *config, int layers, int blocks);

/* Allocates the whole cache, all of its blocks free; slots, blocks >= 1. layers: those
 * of the stage, from 0. PP_ENVIRONMENT when out of memory. release frees. */
int pp_cache_init(struct pp_cache *cache, const struct pp_model_config *config,
                  int layers, int slots, int blocks, struct pp_error *error);
void pp_cache_release(struct pp_cache *cache);

/* Gives a slot the blocks that it lacks for its first positions positions (at most T).
 * Returns -1, and changes nothing, where there are too few free. */
int pp_cache_reserve(struct pp_cache *cache, int slot, int positions);

/* Takes all blocks from a slot. */
void pp_cache_free(struct pp_cache *cache, int slot);

/* Writes the keys and values of count positions of a slot, which are reserved, the
 * first of them position, into the layer-th layer of the stage. qkv: count rows, stride
 * elements apart, each a position's query, key and value side by side (3C). */
void pp_cache_store(struct pp_cache *cache, int layer, int slot, int position,
                    int count, const float *qkv, size_t stride);

/* Attention (layers.h) of these queries: each sees its own position and those before
 * it, in the cache. y: count rows (C), y_stride apart. A row's bits depend on its query
 * and on what is cached alone: scores, their exponentials and the weighted values are
 * summed by ascending positions. */
void pp_cache_attend(float *y, size_t y_stride, struct pp_cache *cache, int layer,
                     int slot, int position, int count, const float *qkv,
                     size_t stride);

#endif
