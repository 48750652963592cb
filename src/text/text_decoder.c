#include "text/text_decoder.h"

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
enum { REPLACEMENT = sizeof replacement - 1 };

void pp_text_decoder_init(struct pp_text_decoder *decoder,
                          const struct pp_tokenizer *tokenizer, bool replace)
{
    *decoder = (struct pp_text_decoder){.tokenizer = tokenizer, .replace = replace};
}

void pp_text_decoder_release(struct pp_text_decoder *decoder)
{
    free(decoder->room);
    *decoder = (struct pp_text_decoder){0};
}

/* Moves what is whole of the bytes to the room's begin, holds back the rest; returns
 * the length. No byte becomes more than REPLACEMENT bytes: where the input begins so
 * many times its length behind the room's begin, the output does not reach what is
 * still to be read. */
static size_t take_whole(struct pp_text_decoder *decoder, const char *input,
                         size_t bytes)
{
    char *output = decoder->room;
    decoder->held_bytes = 0;
    for (size_t at = 0, step; at < bytes; at += step) {
        enum pp_utf8 found = pp_utf8_next(input + at, bytes - at, &step);
        if (found == PP_UTF8_CUT) {
            memcpy(decoder->held, input + at, step);
            decoder->held_bytes = step;
            continue;
        }
        bool replaced = found == PP_UTF8_INVALID && decoder->replace;
        size_t length = replaced ? REPLACEMENT : step;
        memmove(output, replaced ? replacement : input + at, length);
        output += length;
    }
    return (size_t)(output - decoder->room);
}

int pp_text_decoder_push(struct pp_text_decoder *decoder, int32_t token,
                         const char **text, size_t *length, struct pp_error *error)
{
    size_t bytes;
    const char *own = pp_tokenizer_bytes(decoder->tokenizer, token, &bytes);
    *text = "";
    *length = 0;
    if (token == decoder->tokenizer->end || bytes == 0)
        return 0;
    size_t all = decoder->held_bytes + bytes;
    free(decoder->room);
    decoder->room = malloc(all * (REPLACEMENT + 1));
    if (!decoder->room)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the text of a token");
    char *input = decoder->room + all * REPLACEMENT;
    memcpy(input, decoder->held, decoder->held_bytes);
    memcpy(input + decoder->held_bytes, own, bytes);
    *length = take_whole(decoder, input, all);
    *text = decoder->room;
    return 0;
}

void pp_text_decoder_finish(struct pp_text_decoder *decoder, const char **text,
                            size_t *length)
{
    bool replaced = decoder->replace && decoder->held_bytes > 0;
    *text = replaced ? replacement : decoder->held;
    *length = replaced ? REPLACEMENT : decoder->held_bytes;
    decoder->held_bytes = 0;
}
