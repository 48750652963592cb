#include "model/corpus.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"

enum { MAX_SUCCESSORS = 4 };

/* Streams of random numbers, far from those of the parameters (tensor indices). */
enum {
    STREAM_SAMPLE = 0x73616d70,
    STREAM_SUCCESSOR = 0x73756363,
    STREAM_HELD_OUT = 0x68656c64
};

/* A byte is a token: with a vocabulary under 256, all of them must be below it. */
static int check_bytes(const struct pp_corpus *corpus, struct pp_error *error)
{
    unsigned char piece[1 << 16], largest = 0, found = 0;
    const size_t size = corpus->file.size;
    size_t first = size; /* the offset of the first that is not, found */
    for (size_t at = 0; at < size; at += sizeof piece) {
        size_t bytes = size - at < sizeof piece ? size - at : sizeof piece;
        if (pp_input_read(&corpus->file, at, piece, bytes, error) != 0)
            return -1;
        for (size_t i = 0; i < bytes; i++) {
            largest = piece[i] > largest ? piece[i] : largest;
            if (first == size && piece[i] >= corpus->vocab) {
                first = at + i;
                found = piece[i];
            }
        }
    }
    if (first == size)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' holds the byte %d at offset %zu, but '--vocab' is %d: "
                   "give '--vocab' %d or more",
                   corpus->file.path, found, first, corpus->vocab, largest + 1);
}

int pp_corpus_init(struct pp_corpus *corpus, const char *path, uint64_t seed, int vocab,
                   int seq_len, struct pp_error *error)
{
    *corpus = (struct pp_corpus){
        .seed = seed,
        .vocab = vocab,
        .seq_len = seq_len,
        .successors = vocab < MAX_SUCCESSORS ? vocab : MAX_SUCCESSORS,
    };
    if (path == NULL)
        return 0;
    if (pp_input_open(&corpus->file, path, error) != 0)
        return -1;
    corpus->row = malloc((size_t)seq_len + 1);
    if (!corpus->row) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a sequence");
        goto error;
    }
    if (corpus->file.size <= (size_t)seq_len) {
        pp_fail(
            error, PP_BAD_INPUT,
            "'%s' holds %zu bytes, but '--seq-len' %d needs %d or more: give a longer "
            "file, or '--seq-len' %zu or less",
            path, corpus->file.size, seq_len, seq_len + 1, corpus->file.size - 1);
        goto error;
    }
    if (check_bytes(corpus, error) != 0)
        goto error;
    return 0;

error:
    pp_corpus_release(corpus);
    return -1;
}

void pp_corpus_release(struct pp_corpus *corpus)
{
    pp_input_close(&corpus->file);
    free(corpus->row);
    corpus->row = NULL;
}

double pp_corpus_entropy_floor(const struct pp_corpus *corpus)
{
    return corpus->file.path ? NAN : log(corpus->successors);
}

/* The token that follows: the choice-th of the token's successors. They are the first
 * `successors` draws of Floyd's sample of a set (Bentley & Floyd, CACM 30(9), 1987,
 * algorithm F2): distinct, and as cheap in any vocabulary. */
static int32_t successor(const struct pp_corpus *corpus, int32_t token, int choice)
{
    uint64_t drawn[MAX_SUCCESSORS];
    for (int k = 0; k <= choice; k++) {
        uint64_t last = (uint64_t)(corpus->vocab - corpus->successors + k);
        uint64_t bits = pp_random(corpus->seed, STREAM_SUCCESSOR,
                                  (uint64_t)token * MAX_SUCCESSORS + (uint64_t)k);
        drawn[k] = pp_below(bits, last + 1);
        for (int earlier = 0; earlier < k; earlier++) {
            if (drawn[earlier] == drawn[k]) {
                drawn[k] = last; /* which no earlier draw could reach */
                break;
            }
        }
    }
    return (int32_t)drawn[choice];
}

/* The sequence of a file that begins at the byte start. */
static int copy(const struct pp_corpus *corpus, size_t start, int32_t *tokens,
                int32_t *targets, struct pp_error *error)
{
    const unsigned char *row = corpus->row;
    int length = corpus->seq_len;
    if (pp_input_read(&corpus->file, start, corpus->row, (size_t)length + 1, error) !=
        0)
        return -1;
    /* All had been checked: a token without an embedding would be read beside them. */
    for (int i = 0; i <= length; i++) {
        if (row[i] >= corpus->vocab)
            return pp_fail(error, PP_ENVIRONMENT,
                           "'%s' has changed while it was read: at offset %zu it now "
                           "holds the byte %d, but '--vocab' is %d",
                           corpus->file.path, start + (size_t)i, row[i], corpus->vocab);
    }
    for (int i = 0; i < length; i++) {
        tokens[i] = row[i];
        targets[i] = row[i + 1];
    }
    return 0;
}

/* A walk along the chain: the seed's sample-th. */
static void walk(const struct pp_corpus *corpus, uint64_t seed, int64_t sample,
                 int32_t *tokens, int32_t *targets)
{
    uint64_t first = pp_random(seed, (uint64_t)sample, 0);
    int32_t token = (int32_t)pp_below(first, (uint64_t)corpus->vocab);
    for (int i = 0; i < corpus->seq_len; i++) {
        uint64_t bits = pp_random(seed, (uint64_t)sample, (uint64_t)i + 1);
        tokens[i] = token;
        token =
            successor(corpus, token, (int)pp_below(bits, (uint64_t)corpus->successors));
        targets[i] = token;
    }
}

/* Where a sequence may begin. */
static size_t starts(const struct pp_corpus *corpus)
{
    return corpus->file.size - (size_t)corpus->seq_len;
}

int pp_corpus_sample(const struct pp_corpus *corpus, int64_t step, int64_t sample,
                     int32_t *tokens, int32_t *targets, struct pp_error *error)
{
    /* The step has a seed of its own, in which each sample is a stream. */
    uint64_t seed = pp_random(corpus->seed, STREAM_SAMPLE, (uint64_t)step);
    if (corpus->file.path)
        return copy(corpus,
                    pp_below(pp_random(seed, (uint64_t)sample, 0), starts(corpus)),
                    tokens, targets, error);
    walk(corpus, seed, sample, tokens, targets);
    return 0;
}

int pp_corpus_held_out(const struct pp_corpus *corpus, int64_t sample, int64_t count,
                       int32_t *tokens, int32_t *targets, struct pp_error *error)
{
    double part = (double)sample / (double)count;
    if (corpus->file.path)
        return copy(corpus, (size_t)(part * (double)starts(corpus)), tokens, targets,
                    error);
    walk(corpus, pp_random(corpus->seed, STREAM_HELD_OUT, 0), sample, tokens, targets);
    return 0;
}
