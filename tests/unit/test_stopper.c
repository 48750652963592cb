#include "generate/stopper.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const char *const stops[] = {"END", "aab", "b\n"};
enum { STOPS = 3 };

/* What is left of a text that comes in pieces of so many bytes; *found: was a stop? */
static char *left_of(const char *text, size_t piece, bool *found)
{
    struct pp_stopper stopper;
    struct pp_error error = {0};
    size_t length = strlen(text), kept = 0, got;
    char *left = calloc(length + 1, 1);
    const char *out;
    *found = false;
    ck_assert_ptr_nonnull(left);
    pp_stopper_init(&stopper, stops, STOPS);
    for (size_t at = 0; at < length && !*found; at += piece) {
        size_t more = length - at < piece ? length - at : piece;
        ck_assert_int_eq(
            pp_stopper_push(&stopper, text + at, more, &out, &got, found, &error), 0);
        memcpy(left + kept, out, got);
        kept += got;
        /* What is held back is the begin of a stop, and no more of it than needed. */
        ck_assert(*found || at + more - kept < 3);
    }
    if (!*found) {
        pp_stopper_finish(&stopper, &out, &got);
        memcpy(left + kept, out, got);
    }
    pp_stopper_release(&stopper);
    return left;
}

START_TEST(a_text_is_cut_before_its_stop_wherever_pieces_end)
{
    static const struct {
        const char *text, *left; /* NULL: nothing is cut */
    } cases[] = {
        {"", NULL},         {"nothing", NULL}, {"the END of it", "the "},
        {"END", ""},        {"EEND", "E"},     {"EN EN EN", NULL},
        {"ENDEND", ""},     {"aaab", "a"},     {"aaaaaaaab.", "aaaaaa"},
        {"aa ab aa", NULL}, {"xb\n", "x"},     {"aab\n", ""}, /* the first end counts */
        {"ab\nEND", "a"},   {"EN", NULL},      {"b", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece <= 14; piece++) {
            bool found;
            char *left = left_of(cases[i].text, piece, &found);
            ck_assert_str_eq(left, cases[i].left ? cases[i].left : cases[i].text);
            ck_assert_int_eq(found, cases[i].left != NULL);
            free(left);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stopper");
    TCase *tests = tcase_create("stopper");
    tcase_add_test(tests, a_text_is_cut_before_its_stop_wherever_pieces_end);
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
