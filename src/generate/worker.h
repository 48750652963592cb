/* A rank's part in generation: its layers, its keys and values, and on the last rank
 * the choice of tokens. */
#ifndef PP_GENERATE_WORKER_H
#define PP_GENERATE_WORKER_H

#include "generate/batch.h"
#include "model/weights.h"
#include "run/site.h"

struct pp_worker {
    struct pp_site *site; /* borrowed */
    struct pp_decoder decoder;
    struct pp_cache cache;
    struct pp_sampler sampler; /* of the last rank, as is the next one */
    float *logits;             /* [most parts][vocab] */
    int *rows;                 /* [most parts] that tokens are drawn from */
    struct pp_piece *pieces;   /* [most parts] */
};

/* What its layers are, and how much it takes. */
struct pp_worker_config {
    int first_layer, layers;
    int slots, blocks;         /* of the cache */
    int most_parts, most_rows; /* of a batch */
};

/* Bytes that pp_worker_init allocates, but for what is small; rank 0 of ranks is the
 * first. */
double pp_worker_bytes(const struct pp_worker_config *config,
                       const struct pp_model_config *model, int rank, int ranks);

/* Reads its weights. Not collective. PP_BAD_INPUT, PP_ENVIRONMENT. */
int pp_worker_init(struct pp_worker *worker, struct pp_site *site,
                   const struct pp_worker_config *config,
                   const struct pp_weights *weights, struct pp_error *error);
void pp_worker_release(struct pp_worker *worker);

/* Computes the rank's stage of the batch, in its parcel: x, on rank 0 from tokens, is
 * overwritten by x, on the last rank by the tokens; the span of this rank is set, and
 * the parcel's sent. ready, arrived: as of the span, which needs arrived for its start.
 */
void pp_worker_compute(struct pp_worker *worker, struct pp_batch *batch,
                       const int32_t *tokens, int64_t ready, int64_t arrived);

#endif
