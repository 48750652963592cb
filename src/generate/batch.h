/* A batch: what goes round the ring, one microbatch of what is executed. Rank 0
 * composes it; each rank adds its span and puts what the next one needs in the place of
 * what it needed itself: x after every rank but the last, the tokens after that one.
 *
 * It lies in a parcel's data as one piece of memory:
 *     head, parts [part_count], freed [freed_count], spans [ranks], payload
 * the payload aligned to PP_ALIGN: x (rows, C) or tokens [part_count]. */
#ifndef PP_GENERATE_BATCH_H
#define PP_GENERATE_BATCH_H

#include "generate/sampler.h"
#include "model/decoder.h"
#include "run/ring.h"
#include "timeline/timeline.h"

/* What a parcel is. All go round the whole ring. */
enum pp_batch_kind {
    PP_BATCH,
    PP_BATCH_REST, /* nothing is under way: ranks may sleep until the next parcel */
    PP_BATCH_END   /* no more will come */
};

struct pp_batch_head {
    int32_t kind;
    int32_t stop;  /* SIGINT or SIGTERM where a rank on its way was told to stop; 0 */
    int32_t wrong; /* a sampled row had a logit that is not finite */
    int32_t prefill, group;
    int32_t rows; /* of all parts */
    int32_t part_count, freed_count;
    uint64_t number; /* of batches alone, from 0 */
    int64_t after;   /* the batch whose tokens it begins with; -1: none */
};

/* A piece of a sequence, and what its last row's token is drawn by. */
struct pp_batch_part {
    uint64_t id;
    struct pp_piece piece;
    int32_t index; /* of the sequence within its request */
    int32_t draws; /* a token follows its last row */
    struct pp_sampling sampling;
};

/* A batch as it lies in a parcel. */
struct pp_batch {
    struct pp_parcel *parcel;
    struct pp_batch_head *head;
    struct pp_batch_part *parts;
    int32_t *freed; /* slots whose sequences have left since the batch before */
    struct pp_span *spans;
    union {
        float *x;
        int32_t *tokens; /* [part_count] -1 where none was drawn */
    };
};

/* The data bytes that batches of these sizes take, without their payload. */
size_t pp_batch_bytes(int parts, int freed, int ranks);

/* Where things are in the parcel, whose data begin with a head that says how many. */
struct pp_batch pp_batch_in(struct pp_parcel *parcel, int ranks);

/* Sets the parcel's bytes, with a payload of so many. */
void pp_batch_close(struct pp_batch *batch, int ranks, size_t payload);

#endif
