/* What a generation's figures say on a terminal. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/print/generation.h"
#include "unit.h"

static const struct {
    double memory;
    bool cached;
    const char *said;
} readings[] = {
    {10e9, false, "a busy rank · 50 % of the 10 GB/s that memory gives it\n"},
    {10e9, true,
     "a busy rank · the same weights, only read: 20 GB/s (25 %)\n          they fit "
     "the caches; memory gives 10 GB/s\n"},
    {(double)NAN, true,
     "a busy rank · the same weights, only read: 20 GB/s (25 %)\n          they fit "
     "the caches\n"},
    {(double)NAN, false, "a busy rank · the same weights, only read: 20 GB/s (25 %)\n"},
};

/* A share of what memory gives is one only where weights come from there. */
START_TEST(what_reading_is_held_against)
{
    struct pp_report report = {
        .schedule = {.ranks = 2},
        .predicted = (double)NAN,
        .generation = {.groups = 2,
                       .weight_Bps = 5e9,
                       .read_Bps = 20e9,
                       .memory_Bps = readings[_i].memory,
                       .weights_cached = readings[_i].cached},
    };
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    pp_report_print_generation(&report, stream);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_msg(strstr(text, readings[_i].said) != NULL, "%s", text);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("print_generation");
    TCase *tests = tcase_create("print_generation");
    tcase_add_loop_test(tests, what_reading_is_held_against, 0,
                        sizeof readings / sizeof *readings);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
