#include "report/draw/sweep_plot.h"

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "report/draw/gnuplot.h"
#include "report/draw/sweep_panels.h"

static const char sweep_script[] =
#include "sweep.gp.inc"
    ;

static const struct {
    const char *letter, *label;
} dimension_names[PP_DIMENSIONS] = {
    {"m", "microbatches m"}, {"p", "ranks p"}, {"v", "stages per rank v"}};

/* "m = 4, 8, 16", or "m = 1 .. 64" where they are many. */
static void put_values(FILE *stream, const struct pp_values *values)
{
    enum { MOST_LISTED = 6 };
    fprintf(stream, " · %s = ", dimension_names[values->dimension].letter);
    if (values->count > MOST_LISTED)
        fprintf(stream, "%d .. %d", values->items[0], values->items[values->count - 1]);
    for (int i = 0; i < values->count && values->count <= MOST_LISTED; i++)
        fprintf(stream, "%s%d", i > 0 ? ", " : "", values->items[i]);
}

static void put_headline(FILE *settings, const struct pp_panels *panels)
{
    char text[512];
    FILE *stream = fmemopen(text, sizeof text, "w");
    text[0] = '\0';
    if (stream) {
        fprintf(stream, "Sweep of %d schedule%s", panels->schedule_count,
                panels->schedule_count == 1 ? "" : "s");
        for (int d = PP_BY_RANKS; d < PP_DIMENSIONS; d++)
            put_values(stream, &panels->all[d]);
        put_values(stream, &panels->all[PP_BY_MICROBATCHES]);
        fputs(panels->measured ? " · measured" : " · simulated", stream);
        if (panels->cut)
            fputs(" (too many to draw: only the first)", stream);
        fclose(stream);
    }
    pp_plot_put_text(settings, "headline", text);
}

static void put_titles(FILE *settings, const struct pp_panels *panels)
{
    fprintf(settings, "columns = %d\narray heads[columns]\n", panels->columns);
    for (int c = 0; c < panels->columns; c++)
        fprintf(settings, "heads[%d] = '%s = %d'\n", c + 1,
                dimension_names[panels->column->dimension].letter,
                panels->column->items[c]);
    fprintf(settings,
            "series = %d\narray titles[series]\narray schedule[series]\n"
            "array dash[series]\nschedules = %d\n",
            panels->series_count, panels->schedule_count);
    for (int s = 0; s < panels->series_count; s++) {
        const struct pp_series *series = &panels->series[s];
        char name[32], text[320];
        const char *path = panels->schedules[series->schedule];
        const char *slash = strrchr(path, '/');
        const char *title = slash ? slash + 1 : path;
        pp_assign(name, sizeof name, "titles[%d]", s + 1);
        pp_assign(text, sizeof text, "%s, %s = %d", title,
                  dimension_names[panels->dash->dimension].letter,
                  panels->dash->items[series->dash]);
        /* A single value is in the headline already. */
        pp_plot_put_text(settings, name, panels->dash->count > 1 ? text : title);
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
static bool grows_by_factors(const struct pp_values *x)
{
    double least = x->items[0], most = x->items[x->count - 1];
    double middle = x->items[x->count / 2];
    return fabs(middle - sqrt(least * most)) < fabs(middle - (least + most) / 2);
}

static void put_axes(FILE *settings, const struct pp_panels *panels)
{
    enum { MOST_MARKS = 10 };
    const struct pp_values *x = panels->x;
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
    pp_plot_put_text(settings, "unit", panels->unit.name);
    fprintf(settings,
            "time_is_wide = %d\nleast_time = %.9g\nmost_time = %.9g\n"
            "most_bubble = %.9g\nmost_memory = %.9g\nmeasured = %d\n",
            is_wide(panels->least_time, panels->most_time),
            panels->least_time * 1e9 / panels->unit.ns,
            panels->most_time * 1e9 / panels->unit.ns,
            panels->most_bubble > 0 ? panels->most_bubble : 1, panels->most_memory,
            panels->measured);
    pp_plot_put_text(settings, "memory_label",
                     panels->in_bytes ? "peak activations in MiB"
                                      : "peak in flight, microbatches");
}

static int write_settings(const struct pp_panels *panels, const char *path,
                          struct pp_plot_directory *directory, struct pp_error *error)
{
    enum { PANEL = 270, ONE_PANEL = 640, EDGE = 360, HEIGHT = 960, ENTRY = 22 };
    int entries = panels->series_count + 6;
    int width = EDGE + (panels->columns == 1 ? ONE_PANEL : PANEL * panels->columns);
    int height = entries * ENTRY > HEIGHT ? entries * ENTRY : HEIGHT;
    FILE *settings = pp_plot_file_open(directory, "sweep-settings.gp", error);
    if (!settings)
        return -1;
    pp_plot_put_terminal(settings, "sweep", path, width, height);
    fprintf(settings, "left = %.4f\nright = %.4f\n", 80.0 / width,
            1 - (EDGE - 90.0) / width);
    put_headline(settings, panels);
    put_titles(settings, panels);
    put_axes(settings, panels);
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

static void put_block(FILE *stream, struct pp_panels *panels, int column, int s)
{
    const double none[] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    enum { NUMBERS = sizeof none / sizeof none[0] };
    /* gnuplot does not count empty blocks. */
    fprintf(stream, "# %s = %d, series %d\nNaN",
            dimension_names[panels->column->dimension].letter,
            panels->column->items[column], s + 1);
    put_numbers(stream, none, NUMBERS);
    for (int i = 0; i < panels->count; i++) {
        const struct pp_sweep_point *point = &panels->points[i];
        if (!point->done || pp_panel_value(point, panels->column->dimension) !=
                                panels->column->items[column])
            continue;
        struct pp_series series = pp_panel_series(panels, point);
        if (series.schedule != panels->series[s].schedule ||
            series.dash != panels->series[s].dash)
            continue;
        const double numbers[NUMBERS] = {point->theory,
                                         point->simulated,
                                         point->measured,
                                         point->measured_min,
                                         point->measured_max,
                                         point->makespan_s * 1e9 / panels->unit.ns,
                                         pp_panel_memory(panels, point)};
        fprintf(stream, "%d", pp_panel_value(point, panels->x->dimension));
        put_numbers(stream, numbers, NUMBERS);
    }
    fputs("\n\n", stream);
}

static int write_data(struct pp_panels *panels, struct pp_plot_directory *directory,
                      struct pp_error *error)
{
    FILE *stream = pp_plot_file_open(directory, "sweep.dat", error);
    if (!stream)
        return -1;
    for (int column = 0; column < panels->columns; column++) {
        for (int s = 0; s < panels->series_count; s++)
            put_block(stream, panels, column, s);
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
    struct pp_panels panels = {0};
    struct pp_plot_directory directory = {0};
    int status = pp_plot_path_check(path, error);
    if (status == 0)
        status = pp_panels_init(&panels, points, count, error);
    if (status == 0)
        status = pp_plot_directory_init(&directory, keep_data, error);
    if (status == 0)
        status = write_script(&directory, error);
    if (status == 0)
        status = write_settings(&panels, path, &directory, error);
    if (status == 0)
        status = write_data(&panels, &directory, error);
    if (status == 0)
        status = pp_gnuplot(&directory, "sweep", path, error);
    pp_plot_directory_release(&directory);
    pp_panels_release(&panels);
    return status;
}
