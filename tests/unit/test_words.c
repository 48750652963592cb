#include "base/words.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "unit.h"

START_TEST(pieces_are_appended)
{
    char text[16];
    ck_assert(pp_assign(text, sizeof text, "%d", 12));
    ck_assert(pp_append(text, sizeof text, ", %s", "ab"));
    ck_assert_str_eq(text, "12, ab");
    ck_assert(pp_assign(text, sizeof text, "%s", ""));
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
    char text[8];
    ck_assert(pp_assign(text, sizeof text, "%s", "1234567"));
    ck_assert(!pp_assign(text, sizeof text, "%s", "12345678"));
    ck_assert_str_eq(text, "1234567");
    ck_assert(!pp_append(text, sizeof text, "9"));
    ck_assert(pp_append(text, sizeof text, "%s", ""));
    ck_assert_str_eq(text, "1234567");
    char least[1];
    ck_assert(!pp_assign(least, sizeof least, "%s", "a"));
    ck_assert_str_eq(least, "");
}
END_TEST

/* Characters of 1 to 4 bytes, cut at every length: what is kept is a whole number of
 * them, and as many as fit. */
START_TEST(characters_stay_whole)
{
    static const char whole[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t ends[] = {0, 1, 3, 6, 10, 11};
    for (size_t room = 1; room <= sizeof whole; room++) {
        char text[sizeof whole];
        size_t most = 0;
        for (int i = 0; i < 6; i++) {
            if (ends[i] < room)
                most = ends[i];
        }
        pp_assign(text, room, "%s", whole);
        ck_assert_uint_eq(strlen(text), most);
        ck_assert_mem_eq(text, whole, most);
    }
}
END_TEST

START_TEST(other_bytes_are_cut_anywhere)
{
    char text[4];
    pp_assign(text, sizeof text, "%s", "\x80\x80\x80\x80\x80");
    ck_assert_str_eq(text, "\x80\x80\x80");
}
END_TEST

START_TEST(printable)
{
    static const char *const pairs[][2] = {
        {"plain", "plain"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", NULL}, /* NULL: stays */
        {"caf\xe9", "caf?"},                                 /* Latin-1 */
        {"a\nb\tc\x7f", "a?b?c?"},
        {"\xc2\x85", "??"},           /* a control character of C1 */
        {"\xc3", "?"},                /* cut */
        {"\xe2\x82", "??"},           /* cut */
        {"\xc0\xaf", "??"},           /* not the shortest form */
        {"\xe0\x80\xaf", "???"},      /* neither */
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
        {"\xf4\x8f\xbf\xbf", NULL},   /* U+10FFFF */
        {"\xf8\x88\x80\x80\x80", "?????"},
        {"\xff\xc3\xa9\x80", "?\xc3\xa9?"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char text[32];
        pp_assign(text, sizeof text, "%s", pairs[i][0]);
        pp_make_printable(text);
        ck_assert_str_eq(text, pairs[i][1] ? pairs[i][1] : pairs[i][0]);
    }
}
END_TEST

START_TEST(lists_and_errors_are_cut_whole)
{
    static const char *const names[] = {"eins", "zw\xc3\xb6lf", "drei", NULL};
    char list[64], cut[9];
    pp_names_list(names, list, sizeof list);
    ck_assert_str_eq(list, "eins, zw\xc3\xb6lf and drei");
    pp_names_list(names, cut, sizeof cut);
    ck_assert_str_eq(cut, "eins, zw");

    struct pp_error error = {0};
    char most[sizeof error.text + 1];
    for (size_t i = 0; i + 2 < sizeof most; i += 2)
        memcpy(most + i, "\xc3\xa9", 2);
    most[sizeof most - 1] = '\0';
    pp_fail(&error, PP_BAD_INPUT, "%s", most);
    ck_assert_uint_eq(strlen(error.text), sizeof error.text - 2);
    ck_assert_int_eq(error.lines, 1);
    pp_fail_also(&error, PP_BAD_INPUT, "more");
    ck_assert_int_eq(error.lines, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("words");
    TCase *tests = tcase_create("words");
    tcase_add_test(tests, pieces_are_appended);
    tcase_add_test(tests, what_does_not_fit_is_cut);
    tcase_add_test(tests, characters_stay_whole);
    tcase_add_test(tests, other_bytes_are_cut_anywhere);
    tcase_add_test(tests, printable);
    tcase_add_test(tests, lists_and_errors_are_cut_whole);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
