/* What the tests of the numerics share, in float or in double (model/real.h). */
#ifndef PP_TESTS_NUMERICS_H
#define PP_TESTS_NUMERICS_H

#include "model/stage.h"

/* An aligned array of NaN, so that reading what nobody wrote shows. free() it. */
real *numerics_array(size_t count);

/* Uniform in (-1/2, 1/2), by stream and position. */
void numerics_fill(real *x, size_t count, uint64_t stream);

/* Tokens or targets below vocab. */
void numerics_tokens(int32_t *tokens, size_t count, int vocab, uint64_t stream);

/* A stage and, for each of several microbatches, all buffers of its own. Parameters are
 * filled by their canonical index, so a model is the same however it is split, and a
 * tied head the same as the embedding. */
struct bed {
    struct pp_stage stage;
    int microbatches;
    struct pp_pass *pass; /* [m]; input, output_grad: for the caller to point at */
    real **output;        /* [m] (N, C); not written by the head stage */
    real **input_grad;    /* [m] (N, C); not written by the embed stage */
    int32_t *tokens;      /* (m, B, T) */
    int32_t *targets;     /* (m, B, T) */
};

void bed_init(struct bed *bed, const struct pp_model_config *config, int first_layer,
              int layers, bool embed, bool head, int microbatches);
void bed_release(struct bed *bed);

#endif
