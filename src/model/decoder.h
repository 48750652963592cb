/* A decoder: a stage that only generates. It holds the weights of a contiguous run of
 * GPT-2 layers, with the embedding if it is the first and the final norm and head if it
 * is the last, packed for products of few rows (product.h), and computes rows of
 * several sequences at once: a chunk of a prompt, or one token of each.
 *
 * A row's bits depend on the model, on its token (or its input) and on the positions
 * before it in its sequence: on no other row, chunk, split of the layers or block of
 * the cache.
 *
 * Dimension legend: N rows, C = d_model, V vocabulary, T = seq_len, row-major, packed.
 */
#ifndef PP_MODEL_DECODER_H
#define PP_MODEL_DECODER_H

#include <stdint.h>

#include "model/cache.h"
#include "model/config.h"
#include "model/product.h"

struct pp_decoder_layer;

struct pp_decoder {
    struct pp_model_config config; /* whose microbatch_size and recompute say nothing */
    int first_layer, layers;       /* the layers [first_layer, first_layer + layers) */
    bool embed;                    /* holds wte, wpe: the first stage */
    bool head;                     /* holds ln_f and the head: the last stage */
    int most_rows;                 /* that one call may have */
    size_t parameter_bytes; /* that the weights take, packed; a tied head is wte */

    /* Called between layers with poll_data, so that transfers overlap compute; NULL:
     * nobody to call. */
    void (*poll)(void *poll_data);
    void *poll_data;

    struct pp_panels wte, lm_head;  /* lm_head is wte where that is tied and held */
    float *wpe;                     /* (T, C) */
    float *norm_w, *norm_b;         /* (C) of ln_f */
    struct pp_decoder_layer *parts; /* [layers] */
    float *values;                  /* one block: all parameters */
    float *scratch;                 /* of one call */
};

/* Rows of one sequence in a call: count of them at positions position, position + 1, …
 * of the sequence in a slot of the cache. */
struct pp_piece {
    int slot, position, count;
};

/* Allocates, all weights zero; most_rows >= 1. PP_ENVIRONMENT when out of memory.
 * release frees. */
int pp_decoder_init(struct pp_decoder *decoder, const struct pp_model_config *config,
                    int first_layer, int layers, bool embed, bool head, int most_rows,
                    struct pp_error *error);
void pp_decoder_release(struct pp_decoder *decoder);

/* Does the decoder hold the index-th tensor in canonical order (pp_model_tensor)? */
bool pp_decoder_holds(const struct pp_decoder *decoder, int index);

/* Sets that tensor, which it holds, from data in the layout of config.h, packing it. */
void pp_decoder_set(struct pp_decoder *decoder, int index, const float *data);

/* Rows of all pieces together. */
int pp_pieces_rows(const struct pp_piece *pieces, int count);

/* Computes the rows of count pieces, at most most_rows, one piece behind the other, and
 * adds their keys and values to the cache, made for this decoder's layers: the pieces'
 * slots have blocks for them reserved, and hold what precedes them. tokens (N) where it
 * embeds, else NULL and x (N, C) holds the rows of the stage before; x (N, C) holds the
 * results after. */
void pp_decoder_forward(struct pp_decoder *decoder, struct pp_cache *cache,
                        const struct pp_piece *pieces, int count, const int32_t *tokens,
                        float *x);

/* Final norm and head: logits (count, V) of the rows rows[count] of x, at most
 * most_rows. */
void pp_decoder_logits(struct pp_decoder *decoder, const float *x, const int *rows,
                       int count, float *logits);

#endif
