/* Training data: the bytes of a file, or a generated task whose entropy is known. */
#ifndef PP_MODEL_CORPUS_H
#define PP_MODEL_CORPUS_H

#include "base/input.h"
#include "model/config.h"

/* The generated task is a Markov chain: each token has 4 distinct successors (fewer
 * in a vocabulary of fewer), all equally likely, drawn from the seed. The best loss
 * any model can reach is therefore ln 4 nats per token, exactly. */
struct pp_corpus {
    uint64_t seed;
    int vocab;
    int seq_len;
    int successors;       /* of the generated task: min(4, vocab) */
    struct pp_input file; /* not open: the generated task */
    unsigned char *row;   /* [seq_len + 1] scratch: a sequence of the file */
};

/* path NULL: the generated task. PP_BAD_INPUT if the file cannot be read, holds fewer
 * than seq_len + 1 bytes, or holds a byte >= vocab (named with its offset). */
int pp_corpus_init(struct pp_corpus *corpus, const char *path, uint64_t seed, int vocab,
                   int seq_len, struct pp_error *error);
void pp_corpus_release(struct pp_corpus *corpus);

/* Nats per token below which no model can go; NaN for a file. */
double pp_corpus_entropy_floor(const struct pp_corpus *corpus);

/* Writes the tokens and the targets (tokens shifted by one), both (seq_len), of the
 * sample-th sequence of a step. Depends on seed, step and sample alone. PP_ENVIRONMENT,
 * with the file's name, where it has changed so that it cannot be read on. */
int pp_corpus_sample(const struct pp_corpus *corpus, int64_t step, int64_t sample,
                     int32_t *tokens, int32_t *targets, struct pp_error *error);

/* The same of the sample-th of count sequences that are evaluated. Those of a file
 * begin at even distances, from its first byte on: they depend on file and count alone.
 * Those of the generated task are of the chain that is trained on, but drawn apart: no
 * step has them. */
int pp_corpus_held_out(const struct pp_corpus *corpus, int64_t sample, int64_t count,
                       int32_t *tokens, int32_t *targets, struct pp_error *error);

#endif
