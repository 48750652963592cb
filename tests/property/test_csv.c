/* Every schedule's file reads back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/replay.h"
#include "../unit/unit.h"
#include "schedule/csv.h"

static bool same(const struct pp_schedule *a, const struct pp_schedule *b)
{
    return a->ranks == b->ranks && a->stages == b->stages &&
           a->microbatches == b->microbatches &&
           memcmp(a->rank_of, b->rank_of, (size_t)a->stages * sizeof *a->rank_of) ==
               0 &&
           memcmp(a->first, b->first, (size_t)(a->ranks + 1) * sizeof *a->first) == 0 &&
           memcmp(a->ops, b->ops, pp_schedule_ops(a) * sizeof *a->ops) == 0;
}

/* Writes the schedule and reads it back. */
static void copy(const struct pp_schedule *schedule, bool communication,
                 struct pp_schedule *read)
{
    struct pp_error error = {0};
    const char *path = unit_path("written.csv");
    FILE *stream = fopen(path, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(pp_csv_write(schedule, stream, communication, &error), 0);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_msg(pp_csv_read(read, path, &error) == 0, "%s: %s", schedule->name,
                  error.text);
}

/* The format has no place for tokens that go back. */
static void refuse(const struct pp_schedule *schedule)
{
    struct pp_error error = {0};
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(pp_csv_write(schedule, stream, false, &error), -1);
    ck_assert_int_eq(error.status, PP_BAD_INPUT);
    ck_assert_int_eq(pp_csv_write(schedule, stream, true, &error), -1);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_uint_eq(size, 0);
    free(text);
}

/* csv reads back as the same schedule; so does csv-comms, but for an I and its own W
 * right behind it, which become one B: a second time, nothing is left to become. */
START_TEST(written_files_read_back)
{
    for (int p = 1; p <= 4; p++)
        for (int v = 1; v <= 3; v++)
            for (int m = 1; m <= 9; m++) {
                struct pp_shape shape = {p, v, m, 0};
                struct replay replay;
                struct pp_schedule plain, lowered, again;
                if (!replay_init(&replay, pp_catalogue_row(_i), &shape))
                    continue;
                if (pp_decodes(&replay.schedule)) {
                    refuse(&replay.schedule);
                    replay_release(&replay);
                    continue;
                }
                copy(&replay.schedule, false, &plain);
                ck_assert(same(&replay.schedule, &plain));
                copy(&replay.schedule, true, &lowered);
                copy(&lowered, true, &again);
                ck_assert(same(&lowered, &again));
                pp_schedule_release(&plain);
                pp_schedule_release(&lowered);
                pp_schedule_release(&again);
                replay_release(&replay);
            }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv");
    TCase *tests = tcase_create("csv");
    tcase_add_loop_test(tests, written_files_read_back, 0, pp_catalogue_count());
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
