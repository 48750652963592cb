/* A text cut into the pieces that GPT-2's merges do not cross:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * where \s is what has the property White_Space. A byte that is no UTF-8 is neither a
 * space, nor a letter, nor a number. By PCRE2, with its JIT where that may be used. */
#ifndef PP_TEXT_PIECES_H
#define PP_TEXT_PIECES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Not changed once it is made. */
struct pp_pieces {
    void *code;
};

/* PP_ENVIRONMENT: no memory, or a PCRE2 without Unicode. jit: whether to ask for it. */
int pp_pieces_init(struct pp_pieces *pieces, bool jit, struct pp_error *error);
void pp_pieces_release(struct pp_pieces *pieces);

/* A text that is being cut. */
struct pp_cut {
    const struct pp_pieces *pieces; /* borrowed */
    char *text;                     /* the text, with a mark for each invalid byte */
    size_t length, at;
    void *match;
};

/* PP_ENVIRONMENT: no memory. The text is copied. */
int pp_cut_init(struct pp_cut *cut, const struct pp_pieces *pieces, const char *text,
                size_t length, struct pp_error *error);
void pp_cut_release(struct pp_cut *cut);

/* Sets *begin and *end (behind it) to where the next piece is in the text. Returns 1, 0
 * at the text's end, -1 (PP_ENVIRONMENT) where PCRE2 fails. */
int pp_cut_next(struct pp_cut *cut, size_t *begin, size_t *end, struct pp_error *error);

#endif
