#include "report/print/sweep.h"

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "report/print/table.h"

static void set_fraction(struct pp_table *table, int row, int column, double value)
{
    if (!isnan(value))
        pp_table_set(table, row, column, "%.4f", value);
}

static bool same_reason(const struct pp_sweep_point *a, const struct pp_sweep_point *b)
{
    return a->status == b->status && strcmp(a->schedule, b->schedule) == 0 &&
           strcmp(a->reason, b->reason) == 0;
}

/* Prints why point i has no figures; once for all points of its schedule that failed
 * for the same reason. */
static void print_reason(const struct pp_sweep_point *points, int count, int i,
                         FILE *stream)
{
    const struct pp_sweep_point *point = &points[i];
    int alike = 0;
    if (point->done)
        return;
    for (int k = 0; k < count; k++) {
        if (k < i && same_reason(&points[k], point))
            return;
        alike += same_reason(&points[k], point);
    }
    fprintf(stream, "%s: %s, p=%d, v=%d, m=%d",
            point->status == PP_BAD_INPUT ? "not valid" : "failed", point->schedule,
            point->ranks, point->chunks, point->microbatches);
    if (alike > 1)
        fprintf(stream, " and %d more", alike - 1);
    fprintf(stream, ": %s\n", point->reason);
}

int pp_sweep_print(const struct pp_sweep_point *points, int count, FILE *stream,
                   struct pp_error *error)
{
    static const char *const headers[] = {
        "schedule", "p",   "v",   "m",           "theory",         "simulated",
        "measured", "min", "max", "makespan ms", "peak in flight", "activations MiB",
        "tokens/s"};
    enum { COLUMNS = sizeof headers / sizeof headers[0] };
    struct pp_table table;
    int rows = 0, row = 0;
    for (int i = 0; i < count; i++)
        rows += points[i].done;
    if (pp_table_init(&table, rows, COLUMNS, error) != 0)
        return -1;
    for (int c = 0; c < COLUMNS; c++)
        pp_table_set(&table, -1, c, "%s", headers[c]);
    for (int i = 0; i < count; i++) {
        const struct pp_sweep_point *point = &points[i];
        if (!point->done)
            continue;
        pp_table_set(
            &table, row, 0, "%.*s",
            (int)pp_whole_characters(point->schedule, strnlen(point->schedule, 30)),
            point->schedule);
        pp_table_set(&table, row, 1, "%d", point->ranks);
        pp_table_set(&table, row, 2, "%d", point->chunks);
        pp_table_set(&table, row, 3, "%d", point->microbatches);
        set_fraction(&table, row, 4, point->theory);
        set_fraction(&table, row, 5, point->simulated);
        set_fraction(&table, row, 6, point->measured);
        set_fraction(&table, row, 7, point->measured_min);
        set_fraction(&table, row, 8, point->measured_max);
        pp_table_set(&table, row, 9, "%.2f", point->makespan_s * 1e3);
        pp_table_set(&table, row, 10, "%g", point->peak_in_flight);
        if (isfinite(point->peak_activation_bytes))
            pp_table_set(&table, row, 11, "%.2f",
                         point->peak_activation_bytes / 1048576);
        pp_table_set(&table, row, 12, "%.0f", point->tokens_per_s);
        row++;
    }
    if (rows > 0)
        pp_table_print(&table, stream, 0);
    pp_table_release(&table);
    for (int i = 0; i < count; i++)
        print_reason(points, count, i, stream);
    return 0;
}
