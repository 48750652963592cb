#include "text/tokenizer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "text/bpe_files.h"

int pp_tokenizer_init(struct pp_tokenizer *tokenizer, const char *source,
                      struct pp_error *error)
{
    *tokenizer = (struct pp_tokenizer){0};
    int status = strcmp(source, "bytes") == 0
                     ? pp_bpe_init_bytes(&tokenizer->bpe, error)
                     : pp_bpe_init(&tokenizer->bpe, source, error);
    if (status != 0 || pp_pieces_init(&tokenizer->pieces, true, error) != 0) {
        pp_tokenizer_release(tokenizer);
        return -1;
    }
    tokenizer->vocab = tokenizer->bpe.vocabulary.count;
    tokenizer->end = tokenizer->bpe.end;
    return 0;
}

void pp_tokenizer_release(struct pp_tokenizer *tokenizer)
{
    pp_bpe_release(&tokenizer->bpe);
    pp_pieces_release(&tokenizer->pieces);
    *tokenizer = (struct pp_tokenizer){0};
}

bool pp_tokenizer_found(const char *folder)
{
    return pp_bpe_found(folder);
}

/* A text that is being encoded. */
struct encoding {
    const struct pp_tokenizer *tokenizer;
    struct pp_bench bench;
    int32_t *tokens; /* as many as the text has bytes would fit */
    size_t count;
};

static int add_piece(struct encoding *encoding, const char *text, size_t length,
                     struct pp_error *error)
{
    const struct pp_bpe *bpe = &encoding->tokenizer->bpe;
    int32_t *tokens = encoding->tokens + encoding->count;
    if (!pp_bench_reserve(&encoding->bench, length))
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a word of %zu bytes",
                       length);
    for (size_t i = 0; i < length; i++)
        tokens[i] = bpe->of_byte[(unsigned char)text[i]];
    encoding->count += pp_merges_apply(&bpe->merges, &encoding->bench, tokens, length);
    return 0;
}

/* A text that holds no end. */
static int add_text(struct encoding *encoding, const char *text, size_t length,
                    struct pp_error *error)
{
    struct pp_cut cut;
    size_t begin, end;
    int found;
    if (pp_cut_init(&cut, &encoding->tokenizer->pieces, text, length, error) != 0)
        return -1;
    while ((found = pp_cut_next(&cut, &begin, &end, error)) == 1) {
        if (add_piece(encoding, text + begin, end - begin, error) != 0) {
            found = -1;
            break;
        }
    }
    pp_cut_release(&cut);
    return found;
}

/* Where the next end is; at the text's end where there is none. */
static size_t find_end(const char *text, size_t length)
{
    const char *found = memmem(text, length, PP_TEXT_END, strlen(PP_TEXT_END));
    return found ? (size_t)(found - text) : length;
}

static int add_all(struct encoding *encoding, const char *text, size_t length,
                   bool ends, struct pp_error *error)
{
    ends = ends && encoding->tokenizer->end >= 0;
    for (size_t at = 0; at < length;) {
        size_t own = ends ? find_end(text + at, length - at) : length - at;
        if (add_text(encoding, text + at, own, error) != 0)
            return -1;
        at += own;
        if (at < length) {
            encoding->tokens[encoding->count++] = encoding->tokenizer->end;
            at += strlen(PP_TEXT_END);
        }
    }
    return 0;
}

int pp_tokenizer_encode(const struct pp_tokenizer *tokenizer, const char *text,
                        size_t length, bool ends, int32_t **tokens, int *count,
                        struct pp_error *error)
{
    struct encoding encoding = {.tokenizer = tokenizer};
    *tokens = NULL;
    *count = 0;
    if (length > INT_MAX)
        return pp_fail(error, PP_BAD_INPUT, "a text of %zu bytes: at most %d", length,
                       INT_MAX);
    encoding.tokens = malloc((length + 1) * sizeof *encoding.tokens);
    if (!encoding.tokens)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a text of %zu bytes",
                       length);
    int status = add_all(&encoding, text, length, ends, error);
    pp_bench_release(&encoding.bench);
    if (status != 0) {
        free(encoding.tokens);
        return -1;
    }
    int32_t *fit =
        realloc(encoding.tokens, (encoding.count + 1) * sizeof *encoding.tokens);
    *tokens = fit ? fit : encoding.tokens;
    *count = (int)encoding.count;
    return 0;
}

const char *pp_tokenizer_bytes(const struct pp_tokenizer *tokenizer, int32_t token,
                               size_t *length)
{
    const struct pp_vocabulary *vocabulary = &tokenizer->bpe.vocabulary;
    *length = 0;
    if (token < 0 || token >= tokenizer->vocab)
        return "";
    *length = vocabulary->words[token].length;
    return vocabulary->bytes + vocabulary->words[token].at;
}
