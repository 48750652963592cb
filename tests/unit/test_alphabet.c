#include "text/alphabet.h"

#include <string.h>

#include "unit.h"

enum { BYTES = 256 };

START_TEST(alphabet)
{
    static const char *const none[] = {" ",
                                       "\n",
                                       "\xc2\xad",
                                       "\xc5\x84" /* U+0144 */,
                                       "\xe6\x97\xa5",
                                       "\xc3",
                                       "\xff",
                                       "\x7f",
                                       "\xc2\xa0",
                                       "a\xc4"};
    char all[BYTES], name[2 * BYTES + 1], back[2 * BYTES];
    bool seen[BYTES] = {0};
    size_t count;
    for (int i = 0; i < BYTES; i++) {
        all[i] = (char)i;
        seen[pp_alphabet_byte(i)] = true;
    }
    pp_alphabet_write(all, BYTES, name);
    ck_assert(pp_alphabet_read(name, strlen(name), back, &count));
    ck_assert_uint_eq(count, BYTES);
    ck_assert_mem_eq(back, all, BYTES);
    for (int i = 0; i < BYTES; i++)
        ck_assert(seen[i]);
    ck_assert_int_eq(pp_alphabet_byte(0), '!');
    ck_assert_int_eq(pp_alphabet_byte(220), ' ');
    pp_alphabet_write(" a\n", 3, name);
    ck_assert_str_eq(name, "\xc4\xa0"
                           "a\xc4\x8a"); /* U+0120, a, U+010A */
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        ck_assert(!pp_alphabet_read(none[i], strlen(none[i]), back, &count));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("alphabet");
    TCase *tests = tcase_create("alphabet");
    tcase_add_test(tests, alphabet);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
