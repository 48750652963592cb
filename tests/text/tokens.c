/* The tokenizer as a program, for a test that compares it with another.
 *
 *     tokens SOURCE [ends]    texts on standard input, tokens on standard output
 *     tokens --assigned       a byte for each code point: '1' where PCRE2 knows it
 *
 * A text is its length, then so many bytes; its tokens are their count, then they. All
 * numbers have 32 bits. Ends with 3 where what a text's tokens stand for is not the
 * text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

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

/* Of a code point up to 0x10ffff; returns its length. */
static size_t write_utf8(uint32_t code, unsigned char utf8[4])
{
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--, code >>= 6)
        utf8[i] = (unsigned char)(0x80 | (code & 0x3f));
    utf8[0] = (unsigned char)(leads[length] | code);
    return length;
}

static void print_assigned(void)
{
    enum { SURROGATES = 0xd800, BEHIND_THEM = 0xe000, CODES = 0x110000 };
    int problem;
    size_t at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR) "\\P{Cn}", PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF, &problem, &at, NULL);
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    if (!code || !match)
        stop(2, "cannot ask PCRE2");
    for (uint32_t i = 0; i < CODES; i++) {
        unsigned char utf8[4];
        size_t length = write_utf8(i, utf8);
        bool valid = i < SURROGATES || i >= BEHIND_THEM;
        putchar(valid && pcre2_match(code, utf8, length, 0, 0, match, NULL) > 0 ? '1'
                                                                                : '0');
    }
    pcre2_match_data_free(match);
    pcre2_code_free(code);
}

int main(int argc, char **argv)
{
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    if (argc < 2)
        stop(2, "want a tokenizer");
    if (strcmp(argv[1], "--assigned") == 0) {
        print_assigned();
        return 0;
    }
    if (pp_tokenizer_init(&tokenizer, argv[1], &error) != 0)
        stop(2, error.text);
    encode(&tokenizer, argc > 2);
    pp_tokenizer_release(&tokenizer);
    return 0;
}
