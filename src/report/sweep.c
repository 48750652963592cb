#include "report/sweep.h"

#include <math.h>
#include <string.h>

#include "report/gnuplot.h"
#include "report/table.h"

static const char sweep_script[] =
#include "sweep.gp.inc"
    ;

enum { MOST_SERIES = 24 };

static void set_fraction(struct pp_table *table, int row, int column, double value)
{
    if (!isnan(value))
        pp_table_set(table, row, column, "%.4f", value);
}

static bool same_reason(const struct pp_sweep_point *a, const struct pp_sweep_point *b)
{
    return strcmp(a->schedule, b->schedule) == 0 && strcmp(a->invalid, b->invalid) == 0;
}

/* Tells why point i is not valid, once for all of its schedule that fail alike. */
static void print_invalid(const struct pp_sweep_point *points, int count, int i,
                          FILE *stream)
{
    const struct pp_sweep_point *point = &points[i];
    int alike = 0;
    for (int k = 0; k < count; k++) {
        if (k < i && same_reason(&points[k], point))
            return;
        alike += same_reason(&points[k], point);
    }
    if (!point->invalid[0])
        return;
    fprintf(stream, "not valid: %s, p=%d, v=%d, m=%d", point->schedule, point->ranks,
            point->chunks, point->microbatches);
    if (alike > 1)
        fprintf(stream, " and %d more", alike - 1);
    fprintf(stream, ": %s\n", point->invalid);
}

int pp_sweep_print(const struct pp_sweep_point *points, int count, FILE *stream,
                   struct pp_error *error)
{
    static const char *const headers[] = {
        "schedule", "p",     "v",    "m",           "theory",         "simulated",
        "measured", "least", "most", "makespan ms", "peak in flight", "activations MiB",
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
        pp_table_set(&table, row, 0, "%.30s", point->schedule);
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
        pp_table_set(&table, row, 11, "%.2f", point->peak_activation_bytes / 1048576);
        pp_table_set(&table, row, 12, "%.0f", point->tokens_per_s);
        row++;
    }
    if (rows > 0)
        pp_table_print(&table, stream, 0);
    pp_table_release(&table);
    for (int i = 0; i < count; i++)
        print_invalid(points, count, i, stream);
    return 0;
}

static bool same_series(const struct pp_sweep_point *a, const struct pp_sweep_point *b)
{
    return strcmp(a->schedule, b->schedule) == 0 && a->ranks == b->ranks &&
           a->chunks == b->chunks;
}

static void put_number(FILE *stream, double value)
{
    if (isnan(value))
        fputs(" NaN", stream);
    else
        fprintf(stream, " %.9g", value);
}

/* One block of lines per schedule, p and v: m theory simulated measured least most
 * makespan-ms peak-in-flight. Returns how many blocks there are, -1 on failure. */
static int write_series(const struct pp_sweep_point *points, int count, FILE *stream,
                        FILE *settings)
{
    int series = 0;
    fputs("array titles[", settings);
    long at = ftell(settings);
    fprintf(settings, "%2d]\n", MOST_SERIES);
    for (int i = 0; i < count && series < MOST_SERIES; i++) {
        bool first = points[i].done;
        for (int k = 0; k < i && first; k++)
            first = !points[k].done || !same_series(&points[k], &points[i]);
        if (!first)
            continue;
        series++;
        fprintf(settings, "titles[%d] = '%s, p = %d, v = %d'\n", series,
                points[i].schedule, points[i].ranks, points[i].chunks);
        for (int k = i; k < count; k++) {
            const struct pp_sweep_point *point = &points[k];
            if (!point->done || !same_series(&points[i], point))
                continue;
            fprintf(stream, "%d", point->microbatches);
            put_number(stream, point->theory);
            put_number(stream, point->simulated);
            put_number(stream, point->measured);
            put_number(stream, point->measured_min);
            put_number(stream, point->measured_max);
            put_number(stream, point->makespan_s * 1e3);
            put_number(stream, point->peak_in_flight);
            fputc('\n', stream);
        }
        fputs("\n\n", stream);
    }
    return at < 0 ? -1 : series;
}

static int write_plot(const struct pp_sweep_point *points, int count, const char *path,
                      struct pp_plot_directory *directory, struct pp_error *error)
{
    enum { WIDTH = 1200, HEIGHT = 900 };
    FILE *script = pp_plot_file_open(directory, "sweep.gp", error);
    if (!script)
        return -1;
    fputs(sweep_script, script);
    if (pp_plot_file_close(directory, script, error) != 0)
        return -1;
    FILE *settings = pp_plot_file_open(directory, "sweep-settings.gp", error);
    if (!settings)
        return -1;
    pp_plot_put_terminal(settings, "sweep", path, WIDTH, HEIGHT);
    FILE *data = pp_plot_file_open(directory, "sweep.dat", error);
    int series = data ? write_series(points, count, data, settings) : -1;
    fprintf(settings, "series = %d\n", series);
    int status = data ? pp_plot_file_close(directory, data, error) : -1;
    if (pp_plot_file_close(directory, settings, error) != 0 || status != 0)
        return -1;
    if (series <= 0)
        return pp_fail(error, PP_BAD_INPUT, "the sweep has no valid point to plot");
    return 0;
}

int pp_sweep_plot(const struct pp_sweep_point *points, int count, const char *path,
                  const char *keep_data, struct pp_error *error)
{
    struct pp_plot_directory directory;
    if (pp_plot_path_check(path, error) != 0 ||
        pp_plot_directory_init(&directory, keep_data, error) != 0)
        return -1;
    int status = write_plot(points, count, path, &directory, error);
    if (status == 0)
        status = pp_gnuplot(&directory, "sweep", path, error);
    pp_plot_directory_release(&directory);
    return status;
}
