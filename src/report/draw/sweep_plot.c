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
} shape_names[PP_BY_COLUMN] = {
    {"m", "microbatches m"}, {"p", "ranks p"}, {"v", "stages per rank v"}};

static const char *short_name(const struct pp_values *values)
{
    return values->column ? values->column->label
                          : shape_names[values->dimension].letter;
}

enum { VALUE = 64 };

/* A value as the picture shows it: "8", "10us", or the text as given. */
static const char *value_text(const struct pp_values *values, double value,
                              char text[VALUE])
{
    const struct pp_sweep_column *column = values->column;
    if (isnan(value))
        pp_assign(text, VALUE, "none");
    else if (column && !column->numbers)
        pp_assign(text, VALUE, "%s", column->texts[(int)value]);
    else
        pp_assign(text, VALUE, "%.12g%s", value, column ? column->unit : "");
    return text;
}

/* "m = 4, 8, 16", or "m = 1 .. 64" where they are many. */
static void put_values(FILE *stream, const struct pp_values *values)
{
    enum { MOST_LISTED = 6 };
    char text[VALUE], last[VALUE];
    if (values->count == 0)
        return;
    fprintf(stream, " · %s = ", short_name(values));
    if (values->count > MOST_LISTED)
        fprintf(stream, "%s .. %s", value_text(values, values->items[0], text),
                value_text(values, values->items[values->count - 1], last));
    for (int i = 0; i < values->count && values->count <= MOST_LISTED; i++)
        fprintf(stream, "%s%s", i > 0 ? ", " : "",
                value_text(values, values->items[i], text));
}

/* Breaks the text into lines at its dots, where it is wider than the picture. */
static void break_lines(char *text, int width)
{
    enum { CHARACTER = 9, DOT = 2 }; /* pixels; bytes */
    int most = width / CHARACTER, used = 0;
    for (char *c = text; *c; c++, used++) {
        if (strncmp(c, "·", DOT) != 0 || c == text)
            continue;
        char *next = strstr(c + DOT, "·");
        int length = (int)(next ? next - c : (long)strlen(c));
        if (used + length > most) {
            c[-1] = '\n'; /* in place of the blank, the dot and a blank */
            memmove(c, c + DOT + 1, strlen(c + DOT + 1) + 1);
            used = 0;
        }
    }
}

static void put_headline(FILE *settings, const struct pp_panels *panels, int width)
{
    char text[512];
    FILE *stream = fmemopen(text, sizeof text, "w");
    text[0] = '\0';
    if (stream) {
        fprintf(stream, "Sweep of %d schedule%s", panels->schedule_count,
                panels->schedule_count == 1 ? "" : "s");
        for (int d = PP_BY_RANKS; d < panels->dimensions; d++)
            put_values(stream, &panels->all[d]);
        put_values(stream, &panels->all[PP_BY_MICROBATCHES]);
        fputs(panels->measured ? " · measured" : " · simulated", stream);
        if (panels->cut)
            fputs(" (too many to draw: only the first)", stream);
        fclose(stream);
    }
    break_lines(text, width);
    char *rest = text, *line = strsep(&rest, "\n");
    pp_plot_put_text(settings, "headline", line);
    while ((line = strsep(&rest, "\n"))) {
        pp_plot_put_text(settings, "line", line);
        fputs("headline = headline . \"\\n\" . line\n", settings);
    }
}

enum { TITLE = 320 };

/* The schedule, and what has no axis; a single value is in the headline already. */
static const char *title_of(const struct pp_panels *panels, int s, char text[TITLE])
{
    const struct pp_series *series = &panels->series[s];
    const char *path = panels->schedules[series->schedule];
    const char *slash = strrchr(path, '/');
    char value[VALUE];
    pp_assign(text, TITLE, "%s", slash ? slash + 1 : path);
    for (int d = 0; d < panels->dimensions; d++) {
        const struct pp_values *values = &panels->all[d];
        double own = pp_panel_value(series->first, values);
        if (pp_panel_dashed(panels, values) && !isnan(own))
            pp_append(text, TITLE, ", %s = %s", short_name(values),
                      value_text(values, own, value));
    }
    return text;
}

/* The room that the legend takes, in pixels: its longest title, and the marks. */
static int legend_width(const struct pp_panels *panels)
{
    enum { CHARACTER = 8, MARKS = 80, LEAST = 270, MOST = 640 };
    char text[TITLE];
    int width = LEAST;
    for (int s = 0; s < panels->series_count; s++) {
        int own = MARKS + CHARACTER * (int)strlen(title_of(panels, s, text));
        width = own > width ? own : width;
    }
    return width < MOST ? width : MOST;
}

static void put_titles(FILE *settings, const struct pp_panels *panels)
{
    char name[32], value[VALUE], text[TITLE];
    fprintf(settings, "columns = %d\narray heads[columns]\n", panels->columns);
    for (int c = 0; c < panels->columns; c++) {
        pp_assign(name, sizeof name, "heads[%d]", c + 1);
        pp_assign(text, sizeof text, "%s = %s", short_name(panels->column),
                  value_text(panels->column, panels->column->items[c], value));
        pp_plot_put_text(settings, name, text);
    }
    fprintf(settings,
            "series = %d\narray titles[series]\narray schedule[series]\n"
            "array dash[series]\nschedules = %d\n",
            panels->series_count, panels->schedule_count);
    for (int s = 0; s < panels->series_count; s++) {
        pp_assign(name, sizeof name, "titles[%d]", s + 1);
        pp_plot_put_text(settings, name, title_of(panels, s, text));
        fprintf(settings, "schedule[%d] = %d\ndash[%d] = %d\n", s + 1,
                panels->series[s].schedule, s + 1, panels->series[s].dash + 1);
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
    return least > 0 &&
           fabs(middle - sqrt(least * most)) < fabs(middle - (least + most) / 2);
}

/* "link latency in us" */
static void put_x_label(FILE *settings, const struct pp_values *x)
{
    char text[2 * VALUE];
    if (!x->column)
        pp_assign(text, sizeof text, "%s", shape_names[x->dimension].label);
    else
        pp_assign(text, sizeof text, "%s%s%s", x->column->label,
                  x->column->unit[0] ? " in " : "", x->column->unit);
    pp_plot_put_text(settings, "x_label", text);
}

/* What stands at a mark of the x axis. */
static const char *mark_text(const struct pp_values *x, double value, char text[VALUE])
{
    enum { LONG = 5 };
    if (x->column && !x->column->numbers)
        return value_text(x, value, text);
    if (snprintf(text, VALUE, "%.12g", value) > LONG)
        snprintf(text, VALUE, "%.3g", value);
    return text;
}

/* The marks of the x axis, as many as there is room for in so many pixels. */
static void put_marks(FILE *settings, const struct pp_values *x, int width)
{
    enum { CHARACTER = 8, GAP = 12 };
    int longest = 1;
    char text[VALUE];
    for (int i = 0; i < x->count; i++) {
        int length = (int)strlen(mark_text(x, x->items[i], text));
        longest = length > longest ? length : longest;
    }
    int most = width / (CHARACTER * longest + GAP);
    int least = most > 1 ? (x->count + most - 1) / most : x->count, step = least;
    while (step < 2 * least && (x->count - 1) % step != 0)
        step++; /* both ends have marks, where few more are left out for it */
    fputs("x_tics = '", settings);
    for (int i = 0; i < x->count; i += step) {
        fputs(i > 0 ? ", \"" : "\"", settings);
        for (const char *c = mark_text(x, x->items[i], text); *c; c++)
            fputc(strchr("'\"\\`%", *c) ? '?' : *c, settings);
        fprintf(settings, "\" %.12g", x->items[i]);
    }
    fputs("'\n", settings);
}

static void put_axes(FILE *settings, const struct pp_panels *panels, int width)
{
    const struct pp_values *x = panels->x;
    double least = x->items[0], most = x->items[x->count - 1];
    bool wide = grows_by_factors(x), single = x->count == 1;
    double margin = wide ? pow(most / least, 0.05) : 1;
    put_x_label(settings, x);
    fprintf(settings, "x_is_wide = %d\nx_least = %.9g\nx_most = %.9g\n", wide,
            wide ? least / margin : least - 0.05 * (most - least) - single,
            wide ? most * margin : most + 0.05 * (most - least) + single);
    put_marks(settings, x, width);
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
    enum { PANEL = 270, ONE_PANEL = 640, LEFT = 80, HEIGHT = 960, ENTRY = 22 };
    int entries = panels->series_count + 6, legend = legend_width(panels);
    int width =
        LEFT + (panels->columns == 1 ? ONE_PANEL : PANEL * panels->columns) + legend;
    int height = entries * ENTRY > HEIGHT ? entries * ENTRY : HEIGHT;
    FILE *settings = pp_plot_file_open(directory, "sweep-settings.gp", error);
    if (!settings)
        return -1;
    struct pp_plot_size size = {width, height, 14, 1};
    pp_plot_put_terminal(settings, "sweep", path, &size, height);
    fprintf(settings, "left = %.4f\nright = %.4f\n", (double)LEFT / width,
            1 - (double)legend / width);
    put_headline(settings, panels, width);
    put_titles(settings, panels);
    put_axes(settings, panels, panels->columns == 1 ? ONE_PANEL : PANEL);
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

static void put_point(FILE *stream, const struct pp_panels *panels,
                      const struct pp_sweep_point *point, double x)
{
    const double numbers[] = {point->theory,
                              point->simulated,
                              point->measured,
                              point->measured_min,
                              point->measured_max,
                              point->makespan_s * 1e9 / panels->unit.ns,
                              pp_panel_memory(panels, point)};
    fprintf(stream, "%.12g", x);
    put_numbers(stream, numbers, sizeof numbers / sizeof *numbers);
}

/* A point that an axis says nothing of stands everywhere along it. */
static void put_block(FILE *stream, const struct pp_panels *panels, int column, int s)
{
    const struct pp_sweep *sweep = panels->sweep;
    double here = panels->column->items[column];
    char text[VALUE];
    /* gnuplot does not count empty blocks. */
    fprintf(stream, "# %s = %s, series %d\nNaN NaN NaN NaN NaN NaN NaN NaN\n",
            short_name(panels->column), value_text(panels->column, here, text), s + 1);
    for (int x = 0; x < panels->x->count; x++) {
        for (int i = 0; i < sweep->count; i++) {
            const struct pp_sweep_point *point = &sweep->points[i];
            double at = pp_panel_value(point, panels->x);
            double panel = pp_panel_value(point, panels->column);
            if (point->done && pp_panel_series(panels, point) == s &&
                !(panel < here || panel > here) &&
                !(at < panels->x->items[x] || at > panels->x->items[x]))
                put_point(stream, panels, point, panels->x->items[x]);
        }
    }
    fputs("\n\n", stream);
}

static int write_data(const struct pp_panels *panels,
                      struct pp_plot_directory *directory, struct pp_error *error)
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

int pp_sweep_plot(const struct pp_sweep *sweep, const char *path, const char *keep_data,
                  struct pp_error *error)
{
    struct pp_panels panels = {0};
    struct pp_plot_directory directory = {0};
    int status = pp_plot_path_check(path, error);
    if (status == 0)
        status = pp_panels_init(&panels, sweep, error);
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
