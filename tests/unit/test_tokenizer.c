#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizers.h"
#include "unit.h"

/* From a merges.txt alone, in a folder of that name. */
static void must_merge(struct pp_tokenizer *tokenizer, const char *name,
                       const char *merges)
{
    tokenizer_must_init(tokenizer, tokenizer_folder(name, NULL, merges, NULL));
}

/* Their names, as "ab|c|". */
static void expect_parts(const struct pp_tokenizer *tokenizer, const char *text,
                         const char *list)
{
    char found[256] = "";
    int count;
    int32_t *tokens =
        tokenizer_must_encode(tokenizer, text, strlen(text), false, &count);
    for (int i = 0; i < count; i++) {
        size_t length;
        const char *bytes = pp_tokenizer_bytes(tokenizer, tokens[i], &length);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%.*s|",
                 (int)length, bytes);
    }
    ck_assert_msg(strcmp(found, list) == 0, "'%s': %s, should be %s", text, found,
                  list);
    free(tokens);
}

START_TEST(bytes)
{
    struct pp_tokenizer tokenizer;
    char text[256];
    int count;
    tokenizer_must_init(&tokenizer, "bytes");
    ck_assert_int_eq(tokenizer.vocab, 256);
    ck_assert_int_eq(tokenizer.end, -1);
    for (int i = 0; i < 256; i++)
        text[i] = (char)i;
    int32_t *tokens =
        tokenizer_must_encode(&tokenizer, text, sizeof text, true, &count);
    ck_assert_int_eq(count, 256);
    for (int i = 0; i < 256; i++) {
        size_t length;
        ck_assert_int_eq(tokens[i], i);
        ck_assert_int_eq(*pp_tokenizer_bytes(&tokenizer, i, &length), (char)i);
        ck_assert_uint_eq(length, 1);
    }
    free(tokens);
    tokenizer_expect(&tokenizer, "", false, "");
    tokenizer_expect(&tokenizer, PP_TEXT_END, true,
                     "60 124 101 110 100 111 102 116 101 120 116 124 62 ");
    pp_tokenizer_release(&tokenizer);
}
END_TEST

START_TEST(beyond_the_vocabulary_is_nothing)
{
    static const int32_t beyond[] = {-1, 256, INT32_MAX, INT32_MIN};
    struct pp_tokenizer tokenizer;
    tokenizer_must_init(&tokenizer, "bytes");
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        size_t length = 1;
        pp_tokenizer_bytes(&tokenizer, beyond[i], &length);
        ck_assert_uint_eq(length, 0);
    }
    pp_tokenizer_release(&tokenizer);
}
END_TEST

/* Ids that others have published: the documentation of transformers. */
START_TEST(gpt2)
{
    struct pp_tokenizer tokenizer;
    tokenizer_must_init(&tokenizer, getenv("GPT2_TOKENIZER"));
    ck_assert_int_eq(tokenizer.vocab, 50257);
    ck_assert_int_eq(tokenizer.end, 50256);
    tokenizer_expect(&tokenizer, "Hello world", false, "15496 995 ");
    tokenizer_expect(&tokenizer, " Hello world", false, "18435 995 ");
    tokenizer_expect(&tokenizer, "Hello, my dog is cute", false,
                     "15496 11 616 3290 318 13779 ");
    tokenizer_expect(&tokenizer, "", false, "");
    tokenizer_expect(&tokenizer, "  ", false, "220 220 ");
    tokenizer_expect(&tokenizer, "\xff", false, "187 ");
    pp_tokenizer_release(&tokenizer);
}
END_TEST

START_TEST(an_end_in_a_text_is_text_unless_asked_for)
{
    struct pp_tokenizer tokenizer;
    tokenizer_must_init(&tokenizer, getenv("GPT2_TOKENIZER"));
    tokenizer_expect(&tokenizer, PP_TEXT_END, false, "27 91 437 1659 5239 91 29 ");
    tokenizer_expect(&tokenizer, PP_TEXT_END, true, "50256 ");
    tokenizer_expect(&tokenizer, PP_TEXT_END PP_TEXT_END "Hello" PP_TEXT_END " world",
                     true, "50256 50256 15496 50256 995 ");
    tokenizer_expect(&tokenizer, "Hello<|endoftext|", true,
                     "15496 27 91 437 1659 5239 91 ");
    pp_tokenizer_release(&tokenizer);
}
END_TEST

/* The first of the file before what is further left; then the leftmost. */
START_TEST(merges_have_an_order)
{
    struct pp_tokenizer tokenizer;
    must_merge(&tokenizer, "order",
               "#version: 0.2\nb c\na b\na a\naa aa\nx bc\nab c\n");
    ck_assert_int_eq(tokenizer.vocab, 256 + 6 + 1);
    ck_assert_int_eq(tokenizer.end, 262);
    expect_parts(&tokenizer, "abc", "a|bc|");
    expect_parts(&tokenizer, "abab", "ab|ab|");
    expect_parts(&tokenizer, "xabc", "x|a|bc|");
    expect_parts(&tokenizer, "xbc", "xbc|");
    expect_parts(&tokenizer, "aaa", "aa|a|");
    expect_parts(&tokenizer, "aaaaaaa", "aaaa|aa|a|");
    expect_parts(&tokenizer, "aab", "a|ab|");
    expect_parts(&tokenizer, "ab abc", "ab| |a|bc|");
    pp_tokenizer_release(&tokenizer);
}
END_TEST

/* As many steps as the square of its length would take hours. */
START_TEST(a_long_word_takes_few_steps)
{
    enum { LENGTH = (1 << 21) + 7 };
    struct pp_tokenizer tokenizer;
    must_merge(&tokenizer, "long", "a a\naa aa\naaaa aaaa\nb a\na b\n");
    char *text = malloc(LENGTH);
    int count;
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', LENGTH);
    free(tokenizer_must_encode(&tokenizer, text, LENGTH, false, &count));
    ck_assert_int_eq(count, LENGTH / 8 + 3); /* of the seven: 4, 2 and 1 */
    for (int i = 0; i < LENGTH; i++)
        text[i] = i % 2 == 0 ? 'a' : 'b';
    free(tokenizer_must_encode(&tokenizer, text, LENGTH, false, &count));
    ck_assert_int_eq(count, LENGTH / 2 + 1); /* a, then ba */
    free(text);
    pp_tokenizer_release(&tokenizer);
}
END_TEST

START_TEST(too_long_a_text_is_refused)
{
    struct pp_tokenizer tokenizer;
    struct pp_error error = {0};
    int32_t *tokens;
    int count;
    tokenizer_must_init(&tokenizer, "bytes");
    ck_assert_int_eq(pp_tokenizer_encode(&tokenizer, "", (size_t)INT_MAX + 1, false,
                                         &tokens, &count, &error),
                     -1);
    unit_expect_error(&error, PP_BAD_INPUT, "2147483648", "2147483647", NULL);
    pp_tokenizer_release(&tokenizer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tokenizer");
    TCase *tests = tcase_create("tokenizer");
    tcase_add_test(tests, bytes);
    tcase_add_test(tests, beyond_the_vocabulary_is_nothing);
    tcase_add_test(tests, gpt2);
    tcase_add_test(tests, an_end_in_a_text_is_text_unless_asked_for);
    tcase_add_test(tests, merges_have_an_order);
    tcase_add_test(tests, a_long_word_takes_few_steps);
    tcase_add_test(tests, too_long_a_text_is_refused);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
