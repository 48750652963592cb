/* The picture of a sweep: a column of panels per value of one dimension of the shapes,
 * another dimension along x, the third by dashes. */
#include "report/draw/sweep_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "report/draw/gnuplot.h"
#include "report/numbers.h"

static const char sweep_script[] =
#include "sweep.gp.inc"
    ;

/* More columns or series than this would not be legible: the rest is left out, and the
 * title says so. */
enum { MOST_COLUMNS = 8, MOST_SERIES = 32 };

enum dimension { MICROBATCHES, RANKS, CHUNKS, DIMENSIONS };

static const struct {
    const char *letter, *label;
} dimension_names[DIMENSIONS] = {
    {"m", "microbatches m"}, {"p", "ranks p"}, {"v", "stages per rank v"}};

/* The values that a dimension takes, ascending. */
struct values {
    enum dimension dimension;
    int *items; /* [count] */
    int count;
};

struct sweep_plot {
    const struct pp_sweep_point *points; /* [count] */
    int count;
    struct values all[DIMENSIONS];
    const struct values *x, *column, *dash;
    const char *schedules[MOST_SERIES];
    int schedule_count;
    struct series {
        int schedule; /* index */
        int dash;     /* index of the value */
    } series[MOST_SERIES];
    int series_count;
    int columns; /* that are drawn */
    bool cut;
    struct pp_time_unit unit;
    bool in_bytes, measured;
    double most_bubble, least_time, most_time, most_memory;
};

static int value_of(const struct pp_sweep_point *point, enum dimension dimension)
{
    const int values[DIMENSIONS] = {point->microbatches, point->ranks, point->chunks};
    return values[dimension];
}

static int compare(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

/* room has space for a value per point. */
static void find_values(struct sweep_plot *plot, enum dimension dimension, int *room)
{
    int count = 0, kept = 0;
    for (int i = 0; i < plot->count; i++) {
        if (plot->points[i].done)
            room[count++] = value_of(&plot->points[i], dimension);
    }
    qsort(room, (size_t)count, sizeof *room, compare);
    for (int i = 0; i < count; i++) {
        if (kept == 0 || room[kept - 1] != room[i])
            room[kept++] = room[i];
    }
    plot->all[dimension] = (struct values){dimension, room, kept};
}

static int index_of(const struct values *values, int value)
{
    const int *found =
        bsearch(&value, values->items, (size_t)values->count, sizeof value, compare);
    return (int)(found - values->items);
}

/* The dimension of most values goes along x, the next one over the columns. */
static void choose_axes(struct sweep_plot *plot)
{
    const struct values *order[DIMENSIONS];
    for (int d = 0; d < DIMENSIONS; d++) {
        int at = d;
        while (at > 0 && order[at - 1]->count < plot->all[d].count) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = &plot->all[d];
    }
    plot->x = order[0];
    plot->column = order[1];
    plot->dash = order[2];
    plot->cut = plot->column->count > MOST_COLUMNS;
    plot->columns = plot->cut ? MOST_COLUMNS : plot->column->count;
}

static int schedule_of(struct sweep_plot *plot, const char *name)
{
    int s = 0;
    while (s < plot->schedule_count && strcmp(plot->schedules[s], name) != 0)
        s++;
    if (s < MOST_SERIES && s == plot->schedule_count)
        plot->schedules[plot->schedule_count++] = name;
    return s;
}

static struct series series_of(struct sweep_plot *plot,
                               const struct pp_sweep_point *point)
{
    return (struct series){
        .schedule = schedule_of(plot, point->schedule),
        .dash = index_of(plot->dash, value_of(point, plot->dash->dimension)),
    };
}

static void find_series(struct sweep_plot *plot)
{
    for (int i = 0; i < plot->count; i++) {
        const struct pp_sweep_point *point = &plot->points[i];
        if (!point->done)
            continue;
        struct series series = series_of(plot, point);
        int s = 0;
        while (s < plot->series_count && (plot->series[s].schedule != series.schedule ||
                                          plot->series[s].dash != series.dash))
            s++;
        if (s == MOST_SERIES)
            plot->cut = true;
        else if (s == plot->series_count)
            plot->series[plot->series_count++] = series;
    }
}

static double memory_of(const struct sweep_plot *plot,
                        const struct pp_sweep_point *point)
{
    return plot->in_bytes ? point->peak_activation_bytes / (1 << 20)
                          : point->peak_in_flight;
}

/* The ends of the axes, which all columns share. */
static void find_ranges(struct sweep_plot *plot)
{
    plot->least_time = INFINITY;
    for (int i = 0; i < plot->count; i++) {
        const struct pp_sweep_point *point = &plot->points[i];
        if (!point->done)
            continue;
        plot->in_bytes |= point->peak_activation_bytes > 0;
        plot->measured |= !isnan(point->measured);
        plot->least_time = fmin(plot->least_time, point->makespan_s);
        plot->most_time = fmax(plot->most_time, point->makespan_s);
        plot->most_bubble =
            fmax(plot->most_bubble, fmax(point->theory, point->simulated));
        plot->most_bubble = fmax(plot->most_bubble, point->measured_max);
    }
    for (int i = 0; i < plot->count; i++) {
        if (plot->points[i].done)
            plot->most_memory =
                fmax(plot->most_memory, memory_of(plot, &plot->points[i]));
    }
    plot->unit = pp_time_unit(plot->least_time * 1e9);
}

/* Initialises all; *room, to be freed, holds the values. */
static int measure(struct sweep_plot *plot, int **room, struct pp_error *error)
{
    size_t count = (size_t)plot->count;
    int done = 0;
    *room = NULL;
    for (int i = 0; i < plot->count; i++)
        done += plot->points[i].done;
    if (done == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "no point of the sweep succeeded: there is nothing to plot");
    *room = malloc(DIMENSIONS * count * sizeof **room);
    if (!*room)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a picture");
    for (enum dimension d = MICROBATCHES; d < DIMENSIONS; d++)
        find_values(plot, d, *room + d * count);
    choose_axes(plot);
    find_series(plot);
    find_ranges(plot);
    return 0;
}

/* "m = 4, 8, 16", or "m = 1 .. 64" where they are many. */
static void put_values(FILE *stream, const struct values *values)
{
    enum { MOST_LISTED = 6 };
    fprintf(stream, " · %s = ", dimension_names[values->dimension].letter);
    if (values->count > MOST_LISTED)
        fprintf(stream, "%d .. %d", values->items[0], values->items[values->count - 1]);
    for (int i = 0; i < values->count && values->count <= MOST_LISTED; i++)
        fprintf(stream, "%s%d", i > 0 ? ", " : "", values->items[i]);
}

static void put_headline(FILE *settings, const struct sweep_plot *plot)
{
    char text[512];
    FILE *stream = fmemopen(text, sizeof text, "w");
    text[0] = '\0';
    if (stream) {
        fprintf(stream, "Sweep of %d schedule%s", plot->schedule_count,
                plot->schedule_count == 1 ? "" : "s");
        for (int d = RANKS; d < DIMENSIONS; d++)
            put_values(stream, &plot->all[d]);
        put_values(stream, &plot->all[MICROBATCHES]);
        fputs(plot->measured ? " · measured" : " · simulated", stream);
        if (plot->cut)
            fputs(" (too many to draw: only the first)", stream);
        fclose(stream);
    }
    pp_plot_put_text(settings, "headline", text);
}

static void put_titles(FILE *settings, const struct sweep_plot *plot)
{
    fprintf(settings, "columns = %d\narray heads[columns]\n", plot->columns);
    for (int c = 0; c < plot->columns; c++)
        fprintf(settings, "heads[%d] = '%s = %d'\n", c + 1,
                dimension_names[plot->column->dimension].letter,
                plot->column->items[c]);
    fprintf(settings,
            "series = %d\narray titles[series]\narray schedule[series]\n"
            "array dash[series]\nschedules = %d\n",
            plot->series_count, plot->schedule_count);
    for (int s = 0; s < plot->series_count; s++) {
        const struct series *series = &plot->series[s];
        char name[32], text[320];
        const char *path = plot->schedules[series->schedule];
        const char *slash = strrchr(path, '/');
        const char *title = slash ? slash + 1 : path;
        pp_assign(name, sizeof name, "titles[%d]", s + 1);
        pp_assign(text, sizeof text, "%s, %s = %d", title,
                  dimension_names[plot->dash->dimension].letter,
                  plot->dash->items[series->dash]);
        /* A single value is in the headline already. */
        pp_plot_put_text(settings, name, plot->dash->count > 1 ? text : title);
        fprintf(settings, "schedule[%d] = %d\ndash[%d] = %d\n", s + 1, series->schedule,
                s + 1, series->dash + 1);
    }
}

/* Times that differ by factors get a logarithmic axis. */
static bool is_wide(double least, double most)
{
    return least > 0 && most / least >= 8;
}

/* Is the middle value nearer to the geometric mean than to the arithmetic one? */
static bool grows_by_factors(const struct values *x)
{
    double least = x->items[0], most = x->items[x->count - 1];
    double middle = x->items[x->count / 2];
    return fabs(middle - sqrt(least * most)) < fabs(middle - (least + most) / 2);
}

static void put_axes(FILE *settings, const struct sweep_plot *plot)
{
    enum { MOST_MARKS = 10 };
    const struct values *x = plot->x;
    int least = x->items[0], most = x->items[x->count - 1];
    bool wide = grows_by_factors(x);
    int step = (x->count + MOST_MARKS - 1) / MOST_MARKS;
    pp_plot_put_text(settings, "x_label", dimension_names[x->dimension].label);
    fprintf(settings, "x_is_wide = %d\nx_least = %.9g\nx_most = %.9g\n", wide,
            wide ? least / 1.2 : least - 0.05 * (most - least) - (least == most),
            wide ? most * 1.2 : most + 0.05 * (most - least) + (least == most));
    fputs("x_tics = '", settings);
    for (int i = 0; i < x->count; i += step)
        fprintf(settings, "%s%d", i > 0 ? ", " : "", x->items[i]);
    fputs("'\n", settings);
    pp_plot_put_text(settings, "unit", plot->unit.name);
    fprintf(settings,
            "time_is_wide = %d\nleast_time = %.9g\nmost_time = %.9g\n"
            "most_bubble = %.9g\nmost_memory = %.9g\nmeasured = %d\n",
            is_wide(plot->least_time, plot->most_time),
            plot->least_time * 1e9 / plot->unit.ns,
            plot->most_time * 1e9 / plot->unit.ns,
            plot->most_bubble > 0 ? plot->most_bubble : 1, plot->most_memory,
            plot->measured);
    pp_plot_put_text(settings, "memory_label",
                     plot->in_bytes ? "peak activations in MiB"
                                    : "peak in flight, microbatches");
}

static int write_settings(const struct sweep_plot *plot, const char *path,
                          struct pp_plot_directory *directory, struct pp_error *error)
{
    enum { PANEL = 270, ONE_PANEL = 640, EDGE = 360, HEIGHT = 960, ENTRY = 22 };
    int entries = plot->series_count + 6;
    int width = EDGE + (plot->columns == 1 ? ONE_PANEL : PANEL * plot->columns);
    int height = entries * ENTRY > HEIGHT ? entries * ENTRY : HEIGHT;
    FILE *settings = pp_plot_file_open(directory, "sweep-settings.gp", error);
    if (!settings)
        return -1;
    pp_plot_put_terminal(settings, "sweep", path, width, height);
    fprintf(settings, "left = %.4f\nright = %.4f\n", 80.0 / width,
            1 - (EDGE - 90.0) / width);
    put_headline(settings, plot);
    put_titles(settings, plot);
    put_axes(settings, plot);
    return pp_plot_file_close(directory, settings, error);
}

static void put_numbers(FILE *stream, const double *values, int count)
{
    for (int i = 0; i < count; i++) {
        if (isnan(values[i]))
            fputs(" NaN", stream);
        else
            fprintf(stream, " %.9g", values[i]);
    }
    fputc('\n', stream);
}

static void put_block(FILE *stream, struct sweep_plot *plot, int column, int s)
{
    const double none[] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    enum { NUMBERS = sizeof none / sizeof none[0] };
    /* gnuplot does not count empty blocks. */
    fprintf(stream, "# %s = %d, series %d\nNaN",
            dimension_names[plot->column->dimension].letter,
            plot->column->items[column], s + 1);
    put_numbers(stream, none, NUMBERS);
    for (int i = 0; i < plot->count; i++) {
        const struct pp_sweep_point *point = &plot->points[i];
        if (!point->done ||
            value_of(point, plot->column->dimension) != plot->column->items[column])
            continue;
        struct series series = series_of(plot, point);
        if (series.schedule != plot->series[s].schedule ||
            series.dash != plot->series[s].dash)
            continue;
        const double numbers[NUMBERS] = {
            point->theory,         point->simulated,
            point->measured,       point->measured_min,
            point->measured_max,   point->makespan_s * 1e9 / plot->unit.ns,
            memory_of(plot, point)};
        fprintf(stream, "%d", value_of(point, plot->x->dimension));
        put_numbers(stream, numbers, NUMBERS);
    }
    fputs("\n\n", stream);
}

static int write_data(struct sweep_plot *plot, struct pp_plot_directory *directory,
                      struct pp_error *error)
{
    FILE *stream = pp_plot_file_open(directory, "sweep.dat", error);
    if (!stream)
        return -1;
    for (int column = 0; column < plot->columns; column++) {
        for (int s = 0; s < plot->series_count; s++)
            put_block(stream, plot, column, s);
    }
    return pp_plot_file_close(directory, stream, error);
}

static int write_script(struct pp_plot_directory *directory, struct pp_error *error)
{
    FILE *script = pp_plot_file_open(directory, "sweep.gp", error);
    if (!script)
        return -1;
    fputs(sweep_script, script);
    return pp_plot_file_close(directory, script, error);
}

int pp_sweep_plot(const struct pp_sweep_point *points, int count, const char *path,
                  const char *keep_data, struct pp_error *error)
{
    struct sweep_plot plot = {.points = points, .count = count};
    struct pp_plot_directory directory = {0};
    int *room = NULL;
    int status = pp_plot_path_check(path, error);
    if (status == 0)
        status = measure(&plot, &room, error);
    if (status == 0)
        status = pp_plot_directory_init(&directory, keep_data, error);
    if (status == 0)
        status = write_script(&directory, error);
    if (status == 0)
        status = write_settings(&plot, path, &directory, error);
    if (status == 0)
        status = write_data(&plot, &directory, error);
    if (status == 0)
        status = pp_gnuplot(&directory, "sweep", path, error);
    pp_plot_directory_release(&directory);
    free(room);
    return status;
}
