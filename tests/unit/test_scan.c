#include "base/scan.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

START_TEST(units)
{
    static const struct {
        const struct pp_units *units;
        const char *text;
        double value;
    } good[] = {
        {&pp_milliseconds, "1", 1e6},
        {&pp_seconds, "1", 1e9},
        {&pp_milliseconds, "1MS", 1e6},
        {&pp_seconds, "1MS", 1e6},
        {&pp_seconds, "1.5 us", 1500},
        {&pp_seconds, ".5ns", 0.5},
        {&pp_seconds, "2e3S ", 2e12},
        {&pp_bandwidths, "3", 3},
        {&pp_bandwidths, "3KB/s", 3e3},
        {&pp_bandwidths, "2GiB/s", 0x1p31},
        {&pp_bandwidths, "8gbit/s", 1e9},
        {&pp_bandwidths, "8Gbit/S", 1e9},
        {&pp_bytes, "2kB", 2e3},
        {&pp_bytes, "2KB", 2e3},
        {&pp_bytes, "2KiB", 0x1p11},
        {&pp_bytes, "2kiB", 0x1p11},
        {&pp_bytes, "7", 7},
        {&pp_flop_rates, "3tflops", 3e12},
        {&pp_flop_rates, "3", 3},
        {&pp_fractions, "57%", 0.57},
        {&pp_fractions, "69 %", 0.69},
        {&pp_fractions, "0.3", 0.3},
        {&pp_no_units, "1.5", 1.5},
        {&pp_no_units, "0", 0},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct pp_error error = {0};
        struct pp_scanner scanner = PP_SCANNER("x", good[i].text, &error);
        double value;
        ck_assert_msg(pp_scan_quantity(&scanner, good[i].units, &value) == 0, "%s: %s",
                      good[i].text, error.text);
        ck_assert_msg(value == good[i].value, "%s: %.17g", good[i].text, value);
        ck_assert(pp_scan_at_end(&scanner));
    }
}
END_TEST

START_TEST(no_units)
{
    static const struct {
        const struct pp_units *units;
        const char *text, *error;
    } bad[] = {
        {&pp_seconds, "", "column 1: a number is missing"},
        {&pp_seconds, "ms", "column 1: 'ms' is not a number"},
        {&pp_seconds, "nan", "column 1: 'nan' is not a number"},
        {&pp_seconds, "inf", "column 1: 'inf' is not a number"},
        {&pp_seconds, "+1", "column 1: '+1' is not a number"},
        {&pp_seconds, ".", "column 1: '.' is not a number"},
        {&pp_seconds, "-1", "column 1: '-1' is negative"},
        {&pp_seconds, "0x1p3", "column 1: '0x1p3' is not a decimal number"},
        {&pp_seconds, "1e999", "column 1: '1e999' is too large"},
        {&pp_seconds, "1e305s", "column 6: the number is too large"},
        {&pp_seconds, "12m",
         "column 3: no unit named 'm': use ns, us, ms or s (if none "
         "is given)"},
        {&pp_milliseconds, "1%",
         "column 2: no unit named '%': use ns, us, ms (if none is "
         "given) or s"},
        {&pp_bytes, "1kb",
         "no unit named 'kb': use B (if none is given), kB, MB, GB, TB, "
         "KiB, MiB or GiB"},
        {&pp_bytes, "1gib", "no unit named 'gib'"},
        {&pp_bandwidths, "1Gb/s", "no unit named 'Gb/s'"},
        {&pp_fractions, "1 ms", "column 3: no unit named 'ms': use % or none"},
        {&pp_no_units, "1x",
         "column 2: want the end of the number, which has no unit, "
         "not 'x'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pp_error error = {0};
        struct pp_scanner scanner = PP_SCANNER("x", bad[i].text, &error);
        double value;
        int result = pp_scan_quantity(&scanner, bad[i].units, &value);
        ck_assert_msg(result == -1, "%s", bad[i].text);
        unit_expect_error(&error, PP_BAD_INPUT, bad[i].error, "'--x' '", NULL);
    }
}
END_TEST

START_TEST(signs_and_words)
{
    struct pp_error error = {0};
    struct pp_scanner scanner = PP_SCANNER("x", "name[ 3] <= 5", &error);
    long value;
    ck_assert_uint_eq(pp_scan_until(&scanner, "["), 4);
    ck_assert(!pp_scan_sign(&scanner, "<="));
    ck_assert(pp_scan_sign(&scanner, "["));
    pp_scan_blanks(&scanner);
    ck_assert_int_eq(pp_scan_whole(&scanner, "rank", 0, 3, &value), 0);
    ck_assert_int_eq(value, 3);
    ck_assert(pp_scan_sign(&scanner, "]"));
    pp_scan_blanks(&scanner);
    ck_assert(pp_scan_sign(&scanner, "<="));
    ck_assert_int_eq(pp_scan_whole(&scanner, "rank", 0, 4, &value), -1);
    ck_assert_str_eq(error.text,
                     "'--x' 'name[ 3] <= 5', column 12: want a rank from 0 to 4");
    pp_scan_blanks(&scanner);
    ck_assert_int_eq(pp_scan_whole(&scanner, "rank", 6, 9, &value), -1);
    ck_assert_int_eq(pp_scan_whole(&scanner, "rank", 0, 5, &value), 0);
    ck_assert(pp_scan_at_end(&scanner));
}
END_TEST

START_TEST(whole_numbers_are_bounded)
{
    static const char *const bad[] = {"",   "x",  "+1", "-1",
                                      " 1", "11", "0",  "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pp_error error = {0};
        struct pp_scanner scanner = PP_SCANNER("x", bad[i], &error);
        long value;
        ck_assert_int_eq(pp_scan_whole(&scanner, "number", 1, 10, &value), -1);
        unit_expect_error(&error, PP_BAD_INPUT, "column 1: want a number from 1 to 10",
                          NULL);
    }
}
END_TEST

static const char *const keys[] = {"a", "bc", "flag", NULL};

START_TEST(keys_and_values)
{
    struct pp_error error = {0};
    struct pp_scanner scanner = PP_SCANNER("x", "bc=5us,flag,a=1", &error);
    bool valued;
    int key;
    double value;
    ck_assert_int_eq(pp_scan_key(&scanner, keys, &key, &valued), 1);
    ck_assert_int_eq(key, 1);
    ck_assert(valued);
    ck_assert_int_eq(pp_scan_quantity(&scanner, &pp_seconds, &value), 0);
    ck_assert_double_eq(value, 5000);
    ck_assert_int_eq(pp_scan_key(&scanner, keys, &key, &valued), 1);
    ck_assert_int_eq(key, 2);
    ck_assert(!valued);
    ck_assert_int_eq(pp_scan_key(&scanner, keys, &key, NULL), 1);
    ck_assert_int_eq(pp_scan_positive(&scanner, &pp_no_units, &value), 0);
    ck_assert_int_eq(pp_scan_key(&scanner, keys, &key, NULL), 0);
    ck_assert_uint_eq(scanner.given, 7);
}
END_TEST

START_TEST(wrong_keys)
{
    static const char *const bad[][2] = {
        {"", "column 1: no key named '': the keys are a, bc and flag"},
        {"b=1", "column 1: no key named 'b': the keys are a, bc and flag"},
        {"a=1,", "column 5: no key named ''"},
        {"a=1,,bc=2", "column 5: no key named ''"},
        {"a=1,bc=2,a=3", "column 10: key 'a' is given twice"},
        {"a=1:2", "column 4, key 'a': want ',' or the end"},
        {"a", "column 2, key 'a': a number is missing"},
        {"a=,bc=1", "column 3, key 'a': a number is missing"},
        {"a=0", "column 3, key 'a': '0' must be greater than 0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct pp_error error = {0};
        struct pp_scanner scanner = PP_SCANNER("x", bad[i][0], &error);
        double value;
        int key, more;
        while ((more = pp_scan_key(&scanner, keys, &key, NULL)) > 0) {
            if (pp_scan_positive(&scanner, &pp_no_units, &value) != 0)
                break;
        }
        ck_assert_msg(more != 0, "%s", bad[i][0]);
        unit_expect_error(&error, PP_BAD_INPUT, bad[i][1], NULL);
    }
}
END_TEST

START_TEST(columns_are_characters)
{
    struct pp_error error = {0};
    struct pp_scanner scanner = PP_SCANNER("x", "\xc3\xa9\n\xe9=x", &error);
    pp_scan_until(&scanner, "=");
    ck_assert(pp_scan_sign(&scanner, "="));
    pp_scan_fail(&scanner, scanner.at, "no");
    ck_assert_str_eq(error.text, "'--x' '\xc3\xa9?\?=x', column 5: no");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    struct pp_error error = {0};
    char text[301], expected[128];
    memset(text, '1', 300);
    text[300] = '\0';
    text[200] = 'x';
    struct pp_scanner scanner = PP_SCANNER("x", text, &error);
    double value;
    snprintf(expected, sizeof expected, "'--x' '%.80s...', column 201: ", text);
    ck_assert_int_eq(pp_scan_quantity(&scanner, &pp_no_units, &value), -1);
    unit_expect_error(&error, PP_BAD_INPUT, expected, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tests = tcase_create("scan");
    tcase_add_test(tests, units);
    tcase_add_test(tests, no_units);
    tcase_add_test(tests, signs_and_words);
    tcase_add_test(tests, whole_numbers_are_bounded);
    tcase_add_test(tests, keys_and_values);
    tcase_add_test(tests, wrong_keys);
    tcase_add_test(tests, columns_are_characters);
    tcase_add_test(tests, long_texts_are_cut);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
