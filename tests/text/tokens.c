/* The tokenizer as a program, for a test that compares it with another.
 *
 *     tokens SOURCE [ends]    texts on standard input, tokens on standard output
 *     tokens letters          the code points that PCRE2 knows, as ranges
 *
 * A text is its length, then so many bytes; its tokens are their count, then they. All
 * numbers have 32 bits. Ends with 3 where what a text's tokens stand for is not the
 * text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/text_decoder.h"
#include "text/tokenizer.h"

static void stop(int status, const char *message)
{
    fprintf(stderr, "tokens: %s\n", message);
    exit(status);
}

/* The decoder's text, a token at a time, against the text. */
static void check(const struct pp_tokenizer *tokenizer, const char *text,
                  uint32_t length, const int32_t *tokens, int count)
{
    struct pp_text_decoder decoder;
    struct pp_error error = {0};
    const char *part;
    size_t bytes, at = 0;
    pp_text_decoder_init(&decoder, tokenizer, false);
    for (int i = 0; i <= count; i++) {
        if (i == count)
            pp_text_decoder_finish(&decoder, &part, &bytes);
        else if (pp_text_decoder_push(&decoder, tokens[i], &part, &bytes, &error) != 0)
            stop(2, error.text);
        if (bytes > length - at || memcmp(part, text + at, bytes) != 0)
            stop(3, "the tokens are another text");
        at += bytes;
    }
    if (at != length)
        stop(3, "the tokens are a shorter text");
    pp_text_decoder_release(&decoder);
}

static void encode(const struct pp_tokenizer *tokenizer, bool ends)
{
    struct pp_error error = {0};
    uint32_t length;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        char *text = malloc((size_t)length + 1);
        int32_t *tokens;
        int count;
        if (!text || fread(text, 1, length, stdin) != length)
            stop(2, "cannot read a text");
        if (pp_tokenizer_encode(tokenizer, text, length, ends, &tokens, &count,
                                &error) != 0)
            stop(2, error.text);
        if (!ends)
            check(tokenizer, text, length, tokens, count);
        fwrite(&count, sizeof count, 1, stdout);
        fwrite(tokens, sizeof *tokens, (size_t)count, stdout);
        free(tokens);
        free(text);
    }
}

int main(int argc, char **argv)
{
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    if (argc < 2)
        stop(2, "want a tokenizer");
    if (pp_tokenizer_init(&tokenizer, argv[1], &error) != 0)
        stop(2, error.text);
    encode(&tokenizer, argc > 2);
    pp_tokenizer_release(&tokenizer);
    return 0;
}
