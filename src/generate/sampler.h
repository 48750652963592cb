/* From logits to a token: greedy, or drawn by temperature, top-k and top-p.
 *
 * The draw is counter-based: it depends on (seed, index, position) and the logits
 * alone, not on who shares the batch, on when the request came, or on where it is
 * drawn. All arithmetic is in double. */
#ifndef PP_GENERATE_SAMPLER_H
#define PP_GENERATE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* How a sequence's tokens are chosen. */
struct pp_sampling {
    bool greedy;        /* the largest logit, of equal ones the lowest token; the rest
                         * then says nothing */
    double temperature; /* logits are divided by it; 0: greedy */
    int top_k;          /* only the k most likely tokens; 0: all */
    double top_p; /* of those only the most likely whose probabilities sum to at least
                   * this, that which reaches it included (nucleus sampling, Holtzman et
                   * al., arXiv 1904.09751, section 3.1); 1: all */
    uint64_t seed;
};

/* Room for one choice at a time. */
struct pp_sampler {
    int vocab;
    struct pp_candidate *candidates; /* [vocab] owned */
};

/* PP_ENVIRONMENT when out of memory. */
int pp_sampler_init(struct pp_sampler *sampler, int vocab, struct pp_error *error);
void pp_sampler_release(struct pp_sampler *sampler);

/* The token that follows, of logits [vocab]. index: of the sequence among those of its
 * request; position: the token's in the sequence, from 0. Ties go to the lower token,
 * in top-k and top-p too. -1 where a logit is not finite. */
int32_t pp_sample(struct pp_sampler *sampler, const struct pp_sampling *sampling,
                  int index, int position, const float *logits);

#endif
