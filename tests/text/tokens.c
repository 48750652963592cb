/* The tokenizer as a program, for a test that compares it with another.
 *
 *     tokens SOURCE           texts on standard input, tokens on standard output
 *     tokens SOURCE ends      the same, where "<|endoftext|>" is a token
 *     tokens SOURCE replaced  the texts again, decoded, with U+FFFD for invalid bytes
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

struct text {
    char *bytes; /* to be freed */
    uint32_t length;
};

struct tokens {
    int32_t *list; /* to be freed */
    int count;
};

static bool read_text(struct text *text)
{
    if (fread(&text->length, sizeof text->length, 1, stdin) != 1)
        return false;
    text->bytes = malloc((size_t)text->length + 1);
    if (!text->bytes || fread(text->bytes, 1, text->length, stdin) != text->length)
        stop(2, "cannot read a text");
    return true;
}

static void write_text(struct text text)
{
    fwrite(&text.length, sizeof text.length, 1, stdout);
    fwrite(text.bytes, 1, text.length, stdout);
}

/* A token at a time. */
static struct text decode(const struct pp_tokenizer *tokenizer, struct tokens tokens,
                          bool replace)
{
    struct pp_text_decoder decoder;
    struct pp_error error = {0};
    struct text text;
    const char *part;
    size_t bytes, length;
    FILE *stream = open_memstream(&text.bytes, &length);
    if (!stream)
        stop(2, "no memory");
    pp_text_decoder_init(&decoder, tokenizer, replace);
    for (int i = 0; i < tokens.count; i++) {
        if (pp_text_decoder_push(&decoder, tokens.list[i], &part, &bytes, &error) != 0)
            stop(2, error.text);
        fwrite(part, 1, bytes, stream);
    }
    pp_text_decoder_finish(&decoder, &part, &bytes);
    fwrite(part, 1, bytes, stream);
    pp_text_decoder_release(&decoder);
    fclose(stream);
    text.length = (uint32_t)length;
    return text;
}

static void check_same(const struct pp_tokenizer *tokenizer, struct tokens tokens,
                       struct text text)
{
    struct text same = decode(tokenizer, tokens, false);
    if (same.length != text.length || memcmp(same.bytes, text.bytes, text.length) != 0)
        stop(3, "the tokens are another text");
    free(same.bytes);
}

static void answer(const struct pp_tokenizer *tokenizer, struct text text, bool ends,
                   bool replaced)
{
    struct pp_error error = {0};
    struct tokens tokens;
    if (pp_tokenizer_encode(tokenizer, text.bytes, text.length, ends, &tokens.list,
                            &tokens.count, &error) != 0)
        stop(2, error.text);
    if (replaced) {
        struct text other = decode(tokenizer, tokens, true);
        write_text(other);
        free(other.bytes);
    } else {
        fwrite(&tokens.count, sizeof tokens.count, 1, stdout);
        fwrite(tokens.list, sizeof *tokens.list, (size_t)tokens.count, stdout);
    }
    if (!ends)
        check_same(tokenizer, tokens, text);
    free(tokens.list);
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
    const char *mode = argc > 2 ? argv[2] : "";
    for (struct text text; read_text(&text);) {
        answer(&tokenizer, text, strcmp(mode, "ends") == 0,
               strcmp(mode, "replaced") == 0);
        free(text.bytes);
    }
    pp_tokenizer_release(&tokenizer);
    return 0;
}
