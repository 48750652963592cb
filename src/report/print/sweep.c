#include "report/print/sweep.h"

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "report/print/table.h"

enum { SHAPE = 4 }; /* columns */

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
static void print_reason(const struct pp_sweep *sweep, int i, FILE *stream)
{
    const struct pp_sweep_point *points = sweep->points, *point = &points[i];
    char text[PP_POINT_TEXT];
    int alike = 0;
    if (point->done)
        return;
    for (int k = 0; k < sweep->count; k++) {
        if (k < i && same_reason(&points[k], point))
            return;
        alike += same_reason(&points[k], point);
    }
    fprintf(stream, "%s: %s", point->status == PP_BAD_INPUT ? "not valid" : "failed",
            pp_sweep_point_text(sweep, point, text));
    if (alike > 1)
        fprintf(stream, " and %d more", alike - 1);
    fprintf(stream, ": %s\n", point->reason);
}

/* schedule, p, v, m, and what else varies. */
static void set_point(struct pp_table *table, int row, const struct pp_sweep *sweep,
                      const struct pp_sweep_point *point)
{
    const char *name = point->schedule;
    pp_table_set(table, row, 0, "%.*s",
                 (int)pp_whole_characters(name, strnlen(name, 30)), name);
    pp_table_set(table, row, 1, "%d", point->ranks);
    pp_table_set(table, row, 2, "%d", point->chunks);
    pp_table_set(table, row, 3, "%d", point->microbatches);
    for (int c = 0; c < sweep->column_count; c++) {
        const char *cell = pp_sweep_cell(sweep, point, c);
        if (cell)
            pp_table_set(table, row, SHAPE + c, "%.*s",
                         (int)pp_whole_characters(cell, strnlen(cell, 30)), cell);
    }
}

/* Has the table a column for it anyway? */
static bool is_usual(const struct pp_judged *judged)
{
    static const char *const usual[] = {"bubble", "makespan", "tokens_per_s",
                                        "peak_in_flight", "peak_activation_bytes"};
    bool found = false;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        found |= strcmp(usual[i], judged->name) == 0;
    return found;
}

/* What the points are judged by, and whether they pass. */
static void set_judged(struct pp_table *table, int row, int column,
                       const struct pp_sweep *sweep, const struct pp_sweep_point *point)
{
    char text[PP_FIGURE_TEXT];
    for (int j = 0; j < sweep->judged_count; j++) {
        const struct pp_judged *judged = &sweep->judged[j];
        if (is_usual(judged))
            continue;
        pp_table_set(table, -1, column + j, "%s", judged->name);
        pp_table_set(table, row, column + j, "%s",
                     pp_figure_text(judged->figure, point->judged[j], text));
    }
    column += sweep->judged_count;
    pp_table_set(table, -1, column, "checks");
    if (sweep->checked)
        pp_table_set(table, row, column, "%s", point->passed ? "pass" : "FAIL");
}

static void set_figures(struct pp_table *table, int row, int column,
                        const struct pp_sweep_point *point)
{
    set_fraction(table, row, column++, point->theory);
    set_fraction(table, row, column++, point->simulated);
    set_fraction(table, row, column++, point->measured);
    set_fraction(table, row, column++, point->measured_min);
    set_fraction(table, row, column++, point->measured_max);
    pp_table_set(table, row, column++, "%.2f", point->makespan_s * 1e3);
    pp_table_set(table, row, column++, "%g", point->peak_in_flight);
    if (isfinite(point->peak_activation_bytes))
        pp_table_set(table, row, column, "%.2f",
                     point->peak_activation_bytes / 1048576);
    if (isfinite(point->tokens_per_s))
        pp_table_set(table, row, column + 1, "%.0f", point->tokens_per_s);
}

int pp_sweep_print(const struct pp_sweep *sweep, FILE *stream, struct pp_error *error)
{
    static const char *const shape[SHAPE] = {"schedule", "p", "v", "m"};
    static const char *const figures[] = {
        "theory",      "simulated",      "measured",        "min",     "max",
        "makespan ms", "peak in flight", "activations MiB", "tokens/s"};
    enum { FIGURES = sizeof figures / sizeof figures[0] };
    int first = SHAPE + sweep->column_count; /* column of the figures */
    struct pp_table table;
    int rows = 0, row = 0;
    for (int i = 0; i < sweep->count; i++)
        rows += sweep->points[i].done;
    if (pp_table_init(&table, rows, first + FIGURES + sweep->judged_count + 1, error) !=
        0)
        return -1;
    for (int c = 0; c < SHAPE; c++)
        pp_table_set(&table, -1, c, "%s", shape[c]);
    for (int c = 0; c < sweep->column_count; c++)
        pp_table_set(&table, -1, SHAPE + c, "%s", sweep->columns[c].label);
    for (int c = 0; c < FIGURES; c++)
        pp_table_set(&table, -1, first + c, "%s", figures[c]);
    for (int i = 0; i < sweep->count; i++) {
        if (!sweep->points[i].done)
            continue;
        set_point(&table, row, sweep, &sweep->points[i]);
        set_figures(&table, row, first, &sweep->points[i]);
        set_judged(&table, row++, first + FIGURES, sweep, &sweep->points[i]);
    }
    if (rows > 0)
        pp_table_print(&table, stream, 0, 0);
    pp_table_release(&table);
    for (int i = 0; i < sweep->count; i++)
        print_reason(sweep, i, stream);
    return 0;
}

void pp_sweep_print_best(const struct pp_sweep *sweep, FILE *stream)
{
    const struct pp_judged *judged = &sweep->judged[sweep->best];
    char value[PP_FIGURE_TEXT], text[PP_POINT_TEXT];
    int alike;
    const struct pp_sweep_point *best = pp_sweep_best(sweep, sweep->best, &alike);
    if (!best) {
        fprintf(stream, "best %s: it is unknown for every point (%s)\n", judged->name,
                pp_figure_why_unknown(judged->figure));
        return;
    }
    fprintf(stream, "best %s: %s, of %s", judged->name,
            pp_figure_text(judged->figure, best->judged[sweep->best], value),
            pp_sweep_point_text(sweep, best, text));
    if (alike > 0)
        fprintf(stream, " and %d more", alike);
    fputc('\n', stream);
}
