/* Tokens to text, as they come. A token may end within a character: such bytes are held
 * back until the character is whole, so that no output cuts one. */
#ifndef PP_TEXT_TEXT_DECODER_H
#define PP_TEXT_TEXT_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/tokenizer.h"

struct pp_text_decoder {
    const struct pp_tokenizer *tokenizer; /* borrowed */
    bool replace;
    char held[3]; /* the begin of a character */
    size_t held_bytes;
    char *room; /* of the text that was returned last */
};

/* replace: bytes that are no UTF-8 become U+FFFD, one for each maximal subpart of a
 * character (Unicode 14, section 3.9, table 3-8), wherever tokens end; else they stay
 * as they are. */
void pp_text_decoder_init(struct pp_text_decoder *decoder,
                          const struct pp_tokenizer *tokenizer, bool replace);
void pp_text_decoder_release(struct pp_text_decoder *decoder);

/* Sets *text (*length; not ended by a 0; valid until the next call) to what is whole
 * now. The end token, and tokens beyond the vocabulary, have no text. PP_ENVIRONMENT:
 * no memory. */
int pp_text_decoder_push(struct pp_text_decoder *decoder, int32_t token,
                         const char **text, size_t *length, struct pp_error *error);

/* The same at the end of the tokens: what is held back, if anything. Another text may
 * begin. */
void pp_text_decoder_finish(struct pp_text_decoder *decoder, const char **text,
                            size_t *length);

#endif
