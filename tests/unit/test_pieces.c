#include "text/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "unit.h"

/* Each with PCRE2's JIT and without. */
static bool jit;

static void with_jit(void)
{
    jit = true;
}

static void without_jit(void)
{
    jit = false;
}

struct text {
    const char *bytes;
    size_t length;
};

/* The lengths of its pieces, which follow on each other: "1 3 ". */
static void cut_text(struct text text, char *lengths, size_t size)
{
    struct pp_pieces pieces;
    struct pp_cut cut;
    struct pp_error error = {0};
    size_t begin, end, at = 0;
    int found;
    ck_assert_int_eq(pp_pieces_init(&pieces, jit, &error), 0);
    ck_assert_int_eq(pp_cut_init(&cut, &pieces, text.bytes, text.length, &error), 0);
    lengths[0] = '\0';
    while ((found = pp_cut_next(&cut, &begin, &end, &error)) == 1) {
        ck_assert_uint_eq(begin, at);
        ck_assert_uint_gt(end, begin);
        pp_append(lengths, size, "%zu ", end - begin);
        at = end;
    }
    ck_assert_msg(found == 0, "%s", error.text);
    ck_assert_uint_eq(at, text.length);
    pp_cut_release(&cut);
    pp_pieces_release(&pieces);
}

static void expect(const char *text, size_t length, const char *lengths)
{
    char found[256], shown[64];
    cut_text((struct text){text, length}, found, sizeof found);
    pp_assign(shown, sizeof shown, "%.*s", (int)length, text);
    ck_assert_msg(strcmp(found, lengths) == 0, "'%s': %s, should be %s", shown, found,
                  lengths);
}

START_TEST(hard_cases)
{
    static const struct {
        const char *text, *lengths;
    } cases[] = {
        {"", ""},
        {"a", "1 "},
        {"Hello world", "5 6 "},
        {" a", "2 "},
        {"  a", "1 2 "}, /* the last space goes with the word */
        {"a   b", "1 2 2 "},
        {"a ", "1 1 "},
        {"a   ", "1 3 "}, /* but at the end there is none */
        {"   ", "3 "},
        {"a\n\nb", "1 1 1 1 "}, /* only a space does */
        {"a \n b", "1 2 2 "},
        {"\t\ta", "1 1 1 "},
        {"I'm I'll you're", "1 2 2 3 4 3 "},
        {"I'M", "1 1 1 "}, /* only small letters */
        {"'s", "2 "},
        {"'street", "2 5 "},
        {" 's", "2 1 "}, /* a space before is one of the sign's */
        {"''s", "2 1 "},
        {"don't", "3 2 "},
        {"it\xe2\x80\x99s", "2 3 1 "}, /* another apostrophe */
        {"abc123!?", "3 3 2 "},
        {"x\xc2\xb2", "1 2 "}, /* a number, though no digit */
        {"a\xcc\x88", "1 2 "}, /* a mark is no letter */
        {"\xe6\x97\xa5\xe6\x9c\xac", "6 "} /* letters without case */,
        {" \xe6\x97\xa5!", "4 1 "},
        {"\xd9\xa3\xd9\xa4x", "4 1 "},                               /* digits */
        {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 a", "11 2 "}, /* with a joiner */
        {"a\xe2\x80\x8b"
         "b",
         "1 3 1 "}, /* U+200B is no White_Space */
        {"<|endoftext|>", "2 9 2 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].text, strlen(cases[i].text), cases[i].lengths);
}
END_TEST

/* Two of a space, then a letter: the run's last one is a piece of its own, but for ' ',
 * which goes with the letter. What is none goes with what is before. */
START_TEST(all_spaces)
{
    static const char *const spaces[] = {
        "\t",           "\n",           "\v",           "\f",           "\r",
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    static const char *const others[] = {
        "\x1c", "\x1d", "\x1e",         "\x1f",         "\xe1\xa0\x8e", "\xe2\x80\x8b",
        "\x08", "\x0e", "\xe2\x81\xa0", "\xef\xbb\xbf", "\x85",         "\xa0"};
    char text[16], lengths[16];
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        size_t length = strlen(spaces[i]);
        pp_assign(text, sizeof text, "!%s%sa", spaces[i], spaces[i]);
        pp_assign(lengths, sizeof lengths, "1 %zu %zu 1 ", length, length);
        expect(text, strlen(text), lengths);
    }
    expect("!  a", 4, "1 1 2 ");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        pp_assign(text, sizeof text, "!%s%sa", others[i], others[i]);
        pp_assign(lengths, sizeof lengths, "%zu 1 ", 1 + 2 * strlen(others[i]));
        expect(text, strlen(text), lengths);
    }
}
END_TEST

/* Bytes that are no UTF-8 are neither space, nor letter, nor number. */
START_TEST(invalid_bytes)
{
    static const struct {
        const char *text, *lengths;
    } cases[] = {
        {"\xff", "1 "},
        {"\xff\xff!", "3 "},
        {" \xff", "2 "},
        {"a\xff"
         "1",
         "1 1 1 "},
        {"!\xc3", "2 "}, /* the begin of a letter */
        {"!\xc3 a", "2 2 "},
        {"!\xe6\x97!", "4 "},
        {"!\xe6\x97"
         "a",
         "3 1 "},
        {"!\x97\xa5 a", "3 2 "},
        {"!\xc0\xa0!", "4 "},         /* a space, but not in its shortest form */
        {"!\xed\xa0\x80!", "5 "},     /* a surrogate */
        {"!\xf4\x90\x80\x80!", "6 "}, /* beyond Unicode */
        {"'\xffs", "2 1 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].text, strlen(cases[i].text), cases[i].lengths);
    expect("a\0b\0", 4, "1 1 1 1 ");
    expect("!\0\0 b", 5, "3 2 ");
}
END_TEST

/* No limit of PCRE2 is met: it counts steps back, and remembers where it could go. */
START_TEST(long_runs)
{
    static const char *const units[] = {
        "a", "7", "!", "\xff", " ", "\n", "\xe3\x80\x80", "\xe6\x97\xa5"};
    enum { TIMES = 12 * 1000 * 1000 };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t unit = strlen(units[i]), length = unit * TIMES;
        char *text = malloc(length), lengths[64], found[64];
        ck_assert_ptr_nonnull(text);
        for (size_t at = 0; at < length; at += unit)
            memcpy(text + at, units[i], unit);
        pp_assign(lengths, sizeof lengths, "%zu ", length);
        cut_text((struct text){text, length}, found, sizeof found);
        ck_assert_str_eq(found, lengths);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pieces");
    static void (*const ways[])(void) = {with_jit, without_jit};
    static const char *const names[] = {"with jit", "without jit"};
    for (size_t i = 0; i < 2; i++) {
        TCase *tests = tcase_create(names[i]);
        tcase_add_checked_fixture(tests, ways[i], NULL);
        tcase_add_test(tests, hard_cases);
        tcase_add_test(tests, all_spaces);
        tcase_add_test(tests, invalid_bytes);
        tcase_add_test(tests, long_runs);
        suite_add_tcase(suite, tests);
    }
    return unit_run(suite);
}
