/* Text to tokens: bytes, or GPT-2's byte-level BPE ("Language Models are Unsupervised
 * Multitask Learners", section 2.2; Sennrich et al., arXiv 1508.07909, for the merges).
 *
 * A text is any bytes. It is cut into pieces (pieces.h); within a piece the bytes are
 * symbols, and of all neighbours that a merge joins, those of the first merge in the
 * file are joined first, the leftmost of them first, until none is left. No text is
 * refused, and the tokens' bytes in a row are the text again.
 */
#ifndef PP_TEXT_TOKENIZER_H
#define PP_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/bpe.h"
#include "text/pieces.h"

/* Not changed once it is made: threads may share one. */
struct pp_tokenizer {
    int vocab; /* tokens are 0 to vocab - 1 */
    int end;   /* the token that ends a text, "<|endoftext|>"; -1: there is none */
    struct pp_bpe bpe;
    struct pp_pieces pieces;
};

/* source: "bytes" (a token is a byte's value, vocab 256, no end), a tokenizer.json, or
 * a folder. In a folder it is tokenizer.json, or else merges.txt, with the ids of
 * vocab.json, or where there is none, GPT-2's: 256 bytes, the merges in order, the end.
 * PP_BAD_INPUT names the file, the place and what would be valid. */
int pp_tokenizer_init(struct pp_tokenizer *tokenizer, const char *source,
                      struct pp_error *error);
void pp_tokenizer_release(struct pp_tokenizer *tokenizer);

/* Does the folder hold a file that pp_tokenizer_init would read? */
bool pp_tokenizer_found(const char *folder);

/* The tokens of a text: *tokens (*count), to be freed, also where there are none.
 * ends: "<|endoftext|>" in the text is that token; else it is text like any other,
 * which is what a user's text should be. PP_BAD_INPUT: longer than INT_MAX bytes;
 * PP_ENVIRONMENT: no memory. */
int pp_tokenizer_encode(const struct pp_tokenizer *tokenizer, const char *text,
                        size_t length, bool ends, int32_t **tokens, int *count,
                        struct pp_error *error);

/* A token's bytes, which need not be whole characters; none, *length 0, for one beyond
 * the vocabulary. To decode a text: text_decoder.h. */
const char *pp_tokenizer_bytes(const struct pp_tokenizer *tokenizer, int32_t token,
                               size_t *length);

/* Writes vocab.json, merges.txt and tokenizer_config.json into a folder that exists:
 * what this file reads, and transformers' GPT2Tokenizer. PP_BAD_INPUT, PP_ENVIRONMENT
 * as pp_output_open and pp_output_commit. */
int pp_tokenizer_write(const struct pp_tokenizer *tokenizer, const char *folder,
                       struct pp_error *error);

#endif
