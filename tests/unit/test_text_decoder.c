#include "text/text_decoder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "text/utf8.h"
#include "unit.h"

#define FFFD "\xef\xbf\xbd"

static struct pp_tokenizer bytes, gpt2;

static void init(void)
{
    struct pp_error error = {0};
    ck_assert_int_eq(pp_tokenizer_init(&bytes, "bytes", &error), 0);
    ck_assert_int_eq(pp_tokenizer_init(&gpt2, getenv("GPT2_TOKENIZER"), &error), 0);
}

static void release(void)
{
    pp_tokenizer_release(&bytes);
    pp_tokenizer_release(&gpt2);
}

/* How the text comes: its parts with '|' behind each, then what the end gave. */
static void decode(const struct pp_tokenizer *tokenizer, const int32_t *tokens,
                   int count, bool replace, char *parts, size_t size)
{
    struct pp_text_decoder decoder;
    struct pp_error error = {0};
    const char *text;
    size_t length;
    pp_text_decoder_init(&decoder, tokenizer, replace);
    parts[0] = '\0';
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(
            pp_text_decoder_push(&decoder, tokens[i], &text, &length, &error), 0);
        size_t used = strlen(parts);
        snprintf(parts + used, size - used, "%.*s|", (int)length, text);
    }
    pp_text_decoder_finish(&decoder, &text, &length);
    size_t used = strlen(parts);
    snprintf(parts + used, size - used, "%.*s", (int)length, text);
    pp_text_decoder_finish(&decoder, &text, &length);
    ck_assert_uint_eq(length, 0);
    pp_text_decoder_release(&decoder);
}

/* A byte at a time. */
static void expect(const char *text, bool replace, const char *parts)
{
    int32_t tokens[64];
    char found[256];
    int count = (int)strlen(text);
    for (int i = 0; i < count; i++)
        tokens[i] = (unsigned char)text[i];
    decode(&bytes, tokens, count, replace, found, sizeof found);
    ck_assert_str_eq(found, parts);
}

START_TEST(characters_come_whole)
{
    for (int replace = 0; replace < 2; replace++) {
        expect("", replace, "");
        expect("ab", replace, "a|b|");
        expect("\xc3\xa9", replace, "|\xc3\xa9|");
        expect("a\xe6\x97\xa5z", replace, "a|||\xe6\x97\xa5|z|");
        expect("\xf0\x9f\x98\x80!", replace, "|||\xf0\x9f\x98\x80|!|");
    }
}
END_TEST

START_TEST(invalid_bytes_stay)
{
    expect("\xff!", false, "\xff|!|");
    expect("\xc3!", false, "|\xc3!|");
    expect("\xe6\x97", false, "||\xe6\x97");
    expect("\xf0\x9f\x98", false, "|||\xf0\x9f\x98");
    expect("\xe6\xe6\x97\xa5", false, "|\xe6||\xe6\x97\xa5|");
    expect("\xed\xa0\x80", false, "|\xed\xa0|\x80|");
}
END_TEST

START_TEST(invalid_bytes_are_replaced)
{
    expect("\xff!", true, FFFD "|!|");
    expect("\xc3!", true, "|" FFFD "!|");
    expect("\xe6\x97", true, "||" FFFD);
    expect("\xf0\x9f\x98", true, "|||" FFFD);
    expect("\xe6\xe6\x97\xa5", true, "|" FFFD "||\xe6\x97\xa5|");
    /* Unicode 14, section 3.9: tables 3-8 to 3-11. */
    expect("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", true,
           FFFD "|" FFFD "||" FFFD FFFD "|" FFFD "||" FFFD FFFD "|" FFFD "|A|");
    expect("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", true,
           "|" FFFD FFFD "|" FFFD "||" FFFD FFFD "|" FFFD "||" FFFD FFFD "|A|");
    expect("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", true,
           "|" FFFD FFFD "|" FFFD "|" FFFD "|" FFFD "|A|" FFFD "|" FFFD "|B|");
    expect("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", true,
           "||" FFFD "|" FFFD "|||" FFFD "||" FFFD "A|");
}
END_TEST

START_TEST(the_end_and_what_is_no_token_have_no_text)
{
    const int32_t tokens[] = {15496, 50256, -1, 50257, 995};
    char found[64];
    decode(&gpt2, tokens, 5, true, found, sizeof found);
    ck_assert_str_eq(found, "Hello|||| world|");
}
END_TEST

/* The whole text; each part that comes is whole where it is replaced. */
static char *join(const int32_t *tokens, int count, bool replace, size_t *length)
{
    struct pp_text_decoder decoder;
    struct pp_error error = {0};
    char *all = NULL;
    FILE *stream = open_memstream(&all, length);
    ck_assert_ptr_nonnull(stream);
    pp_text_decoder_init(&decoder, &gpt2, replace);
    for (int i = 0; i <= count; i++) {
        const char *text;
        size_t bytes_here, step;
        if (i == count)
            pp_text_decoder_finish(&decoder, &text, &bytes_here);
        else
            ck_assert_int_eq(
                pp_text_decoder_push(&decoder, tokens[i], &text, &bytes_here, &error),
                0);
        for (size_t at = 0; at < bytes_here && replace; at += step)
            ck_assert_int_eq(pp_utf8_next(text + at, bytes_here - at, &step),
                             PP_UTF8_WHOLE);
        fwrite(text, 1, bytes_here, stream);
    }
    pp_text_decoder_release(&decoder);
    fclose(stream);
    return all;
}

/* Texts of pieces of characters, as GPT-2's tokens and as a token a byte. */
START_TEST(it_is_the_same_wherever_tokens_end)
{
    static const char *const pieces[] = {
        "a",        " the",     "\xc3",     "\xa9",        "\xe6",     "\x97",
        "\xa5",     "\xf0\x9f", "\x98",     "\x80",        "\xed\xa0", "\xff",
        "\xe2\x80", "\x99",     "\xc3\xa9", "\xef\xbf\xbd"};
    enum { TEXTS = 2000, PIECES = 12, MOST = 64 };
    for (unsigned t = 0; t < TEXTS; t++) {
        char text[MOST] = "";
        int32_t one_by_one[MOST], *tokens;
        struct pp_error error = {0};
        int count;
        for (unsigned i = 0; i < PIECES; i++)
            strcat(text, pieces[pp_random(1, t, i) % (sizeof pieces / sizeof *pieces)]);
        size_t length = strlen(text), lengths[2];
        for (size_t i = 0; i < length; i++)
            one_by_one[i] = gpt2.bpe.of_byte[(unsigned char)text[i]];
        ck_assert_int_eq(
            pp_tokenizer_encode(&gpt2, text, length, false, &tokens, &count, &error),
            0);
        char *same = join(tokens, count, false, &lengths[0]);
        ck_assert_uint_eq(lengths[0], length);
        ck_assert_mem_eq(same, text, length);
        char *replaced = join(tokens, count, true, &lengths[0]),
             *apart = join(one_by_one, (int)length, true, &lengths[1]);
        ck_assert_uint_eq(lengths[0], lengths[1]);
        ck_assert_mem_eq(replaced, apart, lengths[0]);
        free(same);
        free(replaced);
        free(apart);
        free(tokens);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text decoder");
    TCase *tests = tcase_create("text decoder");
    tcase_add_checked_fixture(tests, init, release);
    tcase_add_test(tests, characters_come_whole);
    tcase_add_test(tests, invalid_bytes_stay);
    tcase_add_test(tests, invalid_bytes_are_replaced);
    tcase_add_test(tests, the_end_and_what_is_no_token_have_no_text);
    tcase_add_test(tests, it_is_the_same_wherever_tokens_end);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
