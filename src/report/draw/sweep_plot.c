#include "report/draw/sweep_plot.h"

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "report/draw/gnuplot.h"
#include "report/draw/sheet.h"
#include "report/draw/sweep_panels.h"
#include "report/layout.h"

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
static void add_values(char *title, size_t size, const struct pp_values *values)
{
    enum { MOST_LISTED = 6 };
    char text[VALUE], last[VALUE];
    if (values->count == 0)
        return;
    pp_append(title, size, " · %s = ", short_name(values));
    if (values->count > MOST_LISTED)
        pp_append(title, size, "%s .. %s", value_text(values, values->items[0], text),
                  value_text(values, values->items[values->count - 1], last));
    for (int i = 0; i < values->count && values->count <= MOST_LISTED; i++)
        pp_append(title, size, "%s%s", i > 0 ? ", " : "",
                  value_text(values, values->items[i], text));
}

static void set_title(struct pp_panel *panel, const struct pp_panels *panels)
{
    char *title = panel->title;
    size_t size = sizeof panel->title;
    pp_assign(title, size, "Sweep of %d schedule%s", panels->schedule_count,
              panels->schedule_count == 1 ? "" : "s");
    for (int d = PP_BY_RANKS; d < panels->dimensions; d++)
        add_values(title, size, &panels->all[d]);
    add_values(title, size, &panels->all[PP_BY_MICROBATCHES]);
    pp_append(title, size, panels->measured ? " · measured" : " · simulated");
    if (panels->cut)
        pp_append(title, size, " (too many to draw: only the first)");
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

/* Okabe & Ito's palette, which the colour-blind tell apart, and two more: a colour of
 * its own for each of ten schedules. Their points differ in shape too. */
static int colour_of(int schedule)
{
    static const int colours[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00,
                                  0x56B4E9, 0x000000, 0x999999, 0x882255, 0xA6761D};
    return colours[schedule % (int)(sizeof colours / sizeof *colours)];
}

/* gnuplot's open points, each followed by the filled one. */
static int point_of(int schedule)
{
    enum { OPEN_BOX = 4, SHAPES = 5 };
    return OPEN_BOX + 2 * (schedule % SHAPES);
}

static int dash_of(int dash)
{
    enum { DASHES = 5 };
    return dash + 1 > DASHES ? DASHES : dash + 1;
}

/* Every line and mark of the picture. */
static void explain(struct pp_sheet *sheet, const struct pp_panels *panels)
{
    enum { OPEN_CIRCLE = 6, CIRCLE = 7 };
    char text[TITLE];
    for (int s = 0; s < panels->series_count; s++) {
        const struct pp_series *series = &panels->series[s];
        pp_sheet_explain_series(sheet, colour_of(series->schedule),
                                point_of(series->schedule), dash_of(series->dash),
                                title_of(panels, s, text));
    }
    pp_sheet_explain(sheet, PP_MARK_POINT, 0, OPEN_CIRCLE, "open: simulated");
    if (panels->measured)
        pp_sheet_explain(sheet, PP_MARK_POINT, 0, CIRCLE,
                         "filled: measured, with range");
    bool theory = false, none = false;
    for (int i = 0; i < panels->sweep->count; i++) {
        const struct pp_sweep_point *point = &panels->sweep->points[i];
        theory |= point->done && !isnan(point->theory);
        none |= point->done && isnan(point->theory);
    }
    if (theory)
        pp_sheet_explain(sheet, PP_MARK_LINE, 0, 0, "bubble: theory");
    if (none)
        pp_sheet_explain(sheet, PP_MARK_LINE, 0, 0, "thin: no theory, points joined");
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
            "series = %d\narray colour[series]\narray point[series]\n"
            "array dash[series]\narray schedule[series]\nschedules = %d\n",
            panels->series_count, panels->schedule_count);
    for (int s = 0; s < panels->series_count; s++) {
        const struct pp_series *series = &panels->series[s];
        fprintf(settings,
                "colour[%d] = %d\npoint[%d] = %d\ndash[%d] = %d\nschedule[%d] = %d\n",
                s + 1, colour_of(series->schedule), s + 1, point_of(series->schedule),
                s + 1, dash_of(series->dash), s + 1, series->schedule);
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
static void set_axis(struct pp_panel *panel, const struct pp_values *x)
{
    char *text = panel->axis;
    if (!x->column)
        pp_assign(text, PP_SHEET_TEXT, "%s", shape_names[x->dimension].label);
    else
        pp_assign(text, PP_SHEET_TEXT, "%s%s%s", x->column->label,
                  x->column->unit[0] ? " in " : "", x->column->unit);
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
    fprintf(settings, "x_is_wide = %d\nx_least = %.9g\nx_most = %.9g\n", wide,
            wide ? least / margin : least - 0.05 * (most - least) - single,
            wide ? most * margin : most + 0.05 * (most - least) + single);
    put_marks(settings, x, width);
    fprintf(settings,
            "time_is_wide = %d\nleast_time = %.9g\nmost_time = %.9g\n"
            "most_bubble = %.9g\nmost_memory = %.9g\nmeasured = %d\n",
            is_wide(panels->least_time, panels->most_time),
            panels->least_time * 1e9 / panels->unit.ns,
            panels->most_time * 1e9 / panels->unit.ns,
            panels->most_bubble > 0 ? panels->most_bubble : 1, panels->most_memory,
            panels->measured);
}

/* The names of the axes on the left, briefer ones where the rows are low, and the
 * distances of their marks. */
static void put_left_axes(FILE *settings, const struct pp_sheet *sheet,
                          const struct pp_panels *panels)
{
    const struct pp_panel *panel = &sheet->panels[0];
    double font = sheet->size.font,
           height = (panel->bottom - panel->top) / 3 - 2 * font;
    bool low = height < pp_plot_text_width(28, font);
    int marks = (int)fmax(height / (1.6 * font), 1);
    char time[64];
    pp_assign(time, sizeof time, "%s%s", low ? "step, " : "step time in ",
              panels->unit.name);
    pp_plot_put_text(settings, "bubble_label", low ? "bubble" : "bubble fraction");
    pp_plot_put_text(settings, "time_label", time);
    pp_plot_put_text(settings, "memory_label",
                     panels->in_bytes ? (low ? "MiB" : "peak activations in MiB")
                     : low            ? "in flight"
                                      : "peak in flight, microbatches");
    double most_time = panels->most_time * 1e9 / panels->unit.ns;
    double bubble = panels->most_bubble > 0 ? panels->most_bubble : 1;
    fprintf(settings, "bubble_step = %.9g\ntime_step = %.9g\nmemory_step = %.9g\n",
            pp_axis_step(bubble, marks), pp_axis_step(most_time, marks),
            pp_axis_step(panels->most_memory, marks));
}

/* Three rows of diagrams in one panel of the sheet. On a screen the picture is as wide
 * as its columns want. */
static void lay_out(struct pp_sheet *sheet, const struct pp_panels *panels)
{
    struct pp_panel *panel = &sheet->panels[0];
    double font = sheet->size.font;
    panel->left_margin = 3.2 * font + pp_plot_text_width(5, font);
    panel->right_margin = 1.5 * font;
    if (sheet->size.height <= 0 && sheet->size.pixels <= 1)
        sheet->size.width =
            fmax(sheet->size.width, panel->left_margin + 20.0 * font * panels->columns);
    panel->wanted = 3 * fmin(18 * font, 0.62 * sheet->size.width);
    set_title(panel, panels);
    set_axis(panel, panels->x);
    explain(sheet, panels);
}

/* Where the diagrams are, in gnuplot's parts of the picture. */
static void put_places(FILE *settings, const struct pp_sheet *sheet,
                       const struct pp_panels *panels)
{
    const struct pp_panel *panel = &sheet->panels[0];
    double font = sheet->size.font, head = panels->columns > 1 ? 1.5 * font : 0;
    fprintf(settings,
            "left = %.4f\nright = %.4f\nbottom = %.4f\ntop = %.4f\n"
            "beside = %.4f\nbetween = %.4f\n",
            panel->left / sheet->size.width, panel->right / sheet->size.width,
            1 - panel->bottom / sheet->height, 1 - (panel->top + head) / sheet->height,
            1.5 * font / sheet->size.width, 2.4 * font / sheet->height);
}

static int write_settings(const struct pp_panels *panels, const char *path,
                          struct pp_sheet *sheet, struct pp_plot_directory *directory,
                          struct pp_error *error)
{
    lay_out(sheet, panels);
    if (pp_sheet_arrange(sheet, error) != 0)
        return -1;
    FILE *settings = pp_plot_file_open(directory, "sweep-settings.gp", error);
    if (!settings)
        return -1;
    double width = pp_sheet_width(sheet, &sheet->panels[0]) / panels->columns;
    pp_plot_put_terminal(settings, "sweep", path, &sheet->size, sheet->height);
    pp_sheet_put_head(sheet, path, settings);
    pp_sheet_put_panel(sheet, 0, path, settings);
    put_places(settings, sheet, panels);
    put_titles(settings, panels);
    put_left_axes(settings, sheet, panels);
    put_axes(settings, panels, (int)(width * 13 / sheet->size.font));
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
                      const struct pp_sweep_point *point, double x, bool join)
{
    double shown = isnan(point->measured) ? point->simulated : point->measured;
    double joined = join ? shown : (double)NAN;
    const double numbers[] = {point->theory,
                              point->simulated,
                              point->measured,
                              point->measured_min,
                              point->measured_max,
                              point->makespan_s * 1e9 / panels->unit.ns,
                              pp_panel_memory(panels, point),
                              joined};
    fprintf(stream, "%.12g", x);
    put_numbers(stream, numbers, sizeof numbers / sizeof *numbers);
}

/* Is the point of series s, and in the column of panels for this value? */
static bool in_block(const struct pp_panels *panels, const struct pp_sweep_point *point,
                     double here, int s)
{
    double panel = pp_panel_value(point, panels->column);
    return point->done && pp_panel_series(panels, point) == s &&
           !(panel < here || panel > here);
}

/* A point that an axis says nothing of stands everywhere along it. */
static void put_block(FILE *stream, const struct pp_panels *panels, int column, int s)
{
    const struct pp_sweep *sweep = panels->sweep;
    double here = panels->column->items[column];
    char text[VALUE];
    /* gnuplot does not count empty blocks. */
    fprintf(stream, "# %s = %s, series %d\nNaN NaN NaN NaN NaN NaN NaN NaN NaN\n",
            short_name(panels->column), value_text(panels->column, here, text), s + 1);
    /* A line goes from point to point where theory's does not reach them all. */
    bool join = false;
    for (int i = 0; i < sweep->count; i++)
        join |= in_block(panels, &sweep->points[i], here, s) &&
                isnan(sweep->points[i].theory);
    for (int x = 0; x < panels->x->count; x++) {
        for (int i = 0; i < sweep->count; i++) {
            const struct pp_sweep_point *point = &sweep->points[i];
            double at = pp_panel_value(point, panels->x);
            if (in_block(panels, point, here, s) &&
                !(at < panels->x->items[x] || at > panels->x->items[x]))
                put_point(stream, panels, point, panels->x->items[x], join);
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
                  const char *size, struct pp_error *error)
{
    struct pp_panels panels = {0};
    struct pp_plot_directory directory = {0};
    struct pp_sheet sheet = {.panel_count = 1};
    int status = pp_plot_path_check(path, error);
    if (status == 0)
        status = pp_plot_size_parse(size, &sheet.size, error);
    if (status == 0)
        status = pp_panels_init(&panels, sweep, error);
    if (status == 0)
        status = pp_plot_directory_init(&directory, keep_data, error);
    if (status == 0)
        status = write_script(&directory, error);
    if (status == 0)
        status = write_settings(&panels, path, &sheet, &directory, error);
    if (status == 0)
        status = write_data(&panels, &directory, error);
    if (status == 0)
        status = pp_gnuplot(&directory, "sweep", path, error);
    pp_plot_directory_release(&directory);
    pp_panels_release(&panels);
    return status;
}
