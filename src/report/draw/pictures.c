/* The kinds of picture: what each needs, and its settings. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "base/wrap.h"
#include "report/draw/plot.h"
#include "report/draw/plot_data.h"
#include "report/palette.h"

/* The scripts as text, made of plots/ by the build. */
static const char timeline_script[] =
#include "timeline.gp.inc"
    ;
static const char in_flight_script[] =
#include "in-flight.gp.inc"
    ;
static const char op_times_script[] =
#include "op-times.gp.inc"
    ;
static const char causes_script[] =
#include "causes.gp.inc"
    ;
static const char predicted_script[] =
#include "predicted.gp.inc"
    ;

enum { BOUND = 0xCC0066, PATH = 0x000000, CIRCLE = 7, TRIANGLE = 9 };

static double font_of(const struct pp_plot *plot)
{
    return plot->sheet->size.font;
}

static void explain(struct pp_plot *plot, enum pp_mark mark, int colour, int point,
                    const char *text)
{
    pp_sheet_explain(plot->sheet, mark, colour, point, text);
}

static void explain_kinds(struct pp_plot *plot, enum pp_mark mark)
{
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        if (plot->seen[kind])
            explain(plot, mark, pp_palette[kind].rgb[0], CIRCLE, pp_kind_name(kind));
    }
}

__attribute__((format(printf, 2, 3))) static void set_axis(struct pp_plot *plot,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pp_assign_list(plot->panel->axis, PP_SHEET_TEXT, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void add_note(struct pp_plot *plot,
                                                           const char *format, ...)
{
    char *note = plot->panel->note;
    if (note[0])
        pp_append(note, PP_SHEET_TEXT, " · ");
    va_list arguments;
    va_start(arguments, format);
    pp_append_list(note, PP_SHEET_TEXT, format, arguments);
    va_end(arguments);
}

/* The name of the axis on the left, or a shorter one where the panel is too low. */
static void put_left_axis(const struct pp_plot *plot, FILE *settings, const char *name,
                          const char *brief)
{
    double height = plot->panel->bottom - plot->panel->top;
    double needed = pp_plot_text_width(pp_columns(name, strlen(name)), font_of(plot));
    fputs("set ylabel ", settings);
    pp_plot_put_quoted(settings, needed > height ? brief : name);
    fputc('\n', settings);
}

/* Room for the marks of the axis, at most so many columns wide, and its name. */
static void set_left_margin(struct pp_plot *plot, int columns)
{
    plot->panel->left_margin =
        3.2 * font_of(plot) + pp_plot_text_width(columns, font_of(plot));
    plot->panel->right_margin = 1.2 * font_of(plot);
}

static int digits_of(int number)
{
    return snprintf(NULL, 0, "%d", number);
}

/* Rows of that height, but no picture higher than it is wide. */
static void want_rows(struct pp_plot *plot, double height)
{
    plot->panel->wanted =
        fmin(height * fmax(plot->layout.rows, 3), plot->sheet->size.width);
    set_left_margin(plot, digits_of(plot->report->schedule.ranks));
}

/* The distance between marks of an axis of numbers up to most, which has so many px. */
static double mark_step(const struct pp_plot *plot, double most, double px,
                        double fonts)
{
    return pp_axis_step(most, (int)fmax(px / (fonts * font_of(plot)), 1));
}

static void put_time_axis(const struct pp_plot *plot, FILE *settings)
{
    double most = plot->axis->makespan / plot->unit.ns;
    fprintf(settings,
            "most_time = %.9g\nset xtics out nomirror offset 0, 0.4 "
            "%.9g\n",
            most * 1.002,
            mark_step(plot, most, pp_sheet_width(plot->sheet, plot->panel), 5));
}

/* The first rank of each row; only every few where rows are low. */
static void put_rank_axis(const struct pp_plot *plot, FILE *settings)
{
    const struct pp_layout *layout = &plot->layout;
    int step = (int)mark_step(plot, layout->rows,
                              0.77 * layout->rows * pp_plot_row_height(plot), 1);
    put_left_axis(plot, settings, "rank", "rank");
    fprintf(settings, "rows = %d\nset ytics out nomirror (", layout->rows);
    for (int y = 0; y < layout->rows; y += step < 1 ? 1 : step)
        fprintf(settings, "%s\"%d\" %d", y > 0 ? ", " : "", y * layout->ranks_per_row,
                y);
    fputs(")\n", settings);
}

static void plan_timeline(struct pp_plot *plot)
{
    want_rows(plot, (plot->layout.rows > 32 ? 1 : 1.86) * font_of(plot));
    explain_kinds(plot, PP_MARK_BOX);
    explain(plot, PP_MARK_BOX, PP_COLOUR_BUBBLE, 0, "bubble");
    explain(plot, PP_MARK_LINE, PATH, 0, "critical path");
    explain(plot, PP_MARK_LINE, BOUND, 0, "lower bound: the busiest rank's work");
    set_axis(plot, "time in %s", plot->unit.name);
    const char *lighter = pp_lighter_name(&plot->report->schedule);
    if (lighter)
        add_note(plot, "%s lighter", lighter);
    if (plot->layout.ranks_per_row > 1)
        add_note(plot, "%d ranks per row", plot->layout.ranks_per_row);
    if (plot->thinned)
        add_note(plot, "too many ops to draw one by one: in proportion");
}

static int write_timeline(struct pp_plot *plot, FILE *settings)
{
    const struct pp_report *report = plot->report;
    double shortest = INFINITY;
    for (int i = 0; i < report->cost_count; i++)
        shortest = fmin(shortest, (double)report->costs[i].median);
    put_time_axis(plot, settings);
    put_rank_axis(plot, settings);
    /* Borders separate the boxes, but would hide narrow ones. */
    bool wide =
        shortest / plot->axis->makespan * pp_sheet_width(plot->sheet, plot->panel) >= 4;
    fprintf(settings, "bubble_colour = '#%06X'\nset style fill solid 1 %s\n",
            (unsigned)PP_COLOUR_BUBBLE,
            wide && !plot->thinned ? "border rgb 'white'" : "noborder");
    if (pp_plot_write_rows(plot, "rows.dat") != 0 || pp_plot_write_ops(plot) != 0 ||
        pp_plot_write_labels(plot) != 0 || pp_plot_write_bound(plot) != 0)
        return -1;
    return pp_plot_write_path(plot);
}

static void plan_in_flight(struct pp_plot *plot)
{
    char text[96];
    /* Activations of several ranks cannot share a row: each rank has its own. */
    plot->layout.rows = plot->report->schedule.ranks;
    plot->layout.ranks_per_row = 1;
    want_rows(plot, (plot->layout.rows > 16 ? 1.86 : 2.86) * font_of(plot));
    plot->panel->right_margin = pp_plot_text_width(10, font_of(plot));
    pp_assign(text, sizeof text, "microbatches in flight: a full band is %g",
              plot->axis->peak);
    explain(plot, PP_MARK_BOX, PP_COLOUR_IN_FLIGHT, 0, text);
    set_axis(plot, "time in %s", plot->unit.name);
    if (plot->report->schedule.chunks > 1)
        add_note(plot, "1 in flight: one microbatch in all stages of a rank");
    if (plot->thinned)
        add_note(plot, "too many ops to draw: only some are");
}

static int write_in_flight(struct pp_plot *plot, FILE *settings)
{
    put_time_axis(plot, settings);
    put_rank_axis(plot, settings);
    double step =
        ceil(1.1 * pp_plot_small_font(&plot->sheet->size) / pp_plot_row_height(plot));
    fprintf(settings, "in_flight_colour = '#%06X'\npeak_step = %g\n",
            (unsigned)PP_COLOUR_IN_FLIGHT, step);
    if (pp_plot_write_rows(plot, "bands.dat") != 0 ||
        pp_plot_write_in_flight(plot) != 0)
        return -1;
    return pp_plot_write_peaks(plot);
}

/* Not a row per rank: three fifths as high as wide, lower where there are more panels.
 */
static void want_diagram(struct pp_plot *plot)
{
    double width = plot->sheet->size.width;
    plot->panel->wanted = fmin(0.5 * width, 34 * font_of(plot)) /
                          (plot->sheet->panel_count > 1 ? 1.6 : 1);
}

static void plan_op_times(struct pp_plot *plot)
{
    const struct pp_report *report = plot->report;
    plot->unit = pp_time_unit(plot->axis->op);
    want_diagram(plot);
    set_left_margin(plot, 5);
    explain_kinds(plot, PP_MARK_POINT);
    explain(plot, PP_MARK_POINT, 0, TRIANGLE, "median");
    explain(plot, PP_MARK_LINE, 0, 0, "5th to 95th percentile over all steps");
    set_axis(plot, "stage");
    if (report->step_count > 1)
        add_note(plot, "points: of step %d",
                 report->steps[report->representative].number);
    if (plot->thinned)
        add_note(plot, "too many ops to draw: only some are");
}

static int write_op_times(struct pp_plot *plot, FILE *settings)
{
    int stages = plot->report->schedule.stages;
    double width = pp_sheet_width(plot->sheet, plot->panel);
    fprintf(settings, "stages = %d\nset xtics out nomirror offset 0, 0.4 0, %g\n",
            stages,
            fmax(1, mark_step(plot, stages, width, 0.8 + 0.6 * digits_of(stages))));
    char name[64];
    pp_assign(name, sizeof name, "op time in %s", plot->unit.name);
    put_left_axis(plot, settings, name, plot->unit.name);
    double place = 0.24 * width / stages; /* of a kind */
    fprintf(settings, "most = %.9g\nmark_size = %.3g\n", plot->axis->op / plot->unit.ns,
            fmin(font_of(plot) / 14, place / 9));
    return pp_plot_write_op_times(plot) != 0 ? -1 : pp_plot_write_costs(plot);
}

static const struct {
    const char *name;
    int colour;
} causes[PP_CAUSES] = {{"warmup", 0xBBBBBB},
                       {"dependency", 0x0072B2},
                       {"communication", 0xCC79A7},
                       {"overhead", 0xF0E442},
                       {"cooldown", 0x666666}};

static void plan_causes(struct pp_plot *plot)
{
    want_diagram(plot);
    set_left_margin(plot, 3);
    for (int c = 0; c < PP_CAUSES; c++) {
        if (pp_plot_cause(&plot->report->metrics.causes, c) > 0)
            explain(plot, PP_MARK_BOX, causes[c].colour, 0, causes[c].name);
    }
    explain(plot, PP_MARK_DASHES, 0, 0, "bubble: the mean over the ranks");
    set_axis(plot, "rank");
}

static int write_causes(struct pp_plot *plot, FILE *settings)
{
    int ranks = plot->report->schedule.ranks;
    double width = pp_sheet_width(plot->sheet, plot->panel);
    double small = pp_plot_small_font(&plot->sheet->size);
    put_left_axis(plot, settings, "idle, % of the makespan", "idle, %");
    fputs("colours = '", settings);
    for (int c = 0; c < PP_CAUSES; c++)
        fprintf(settings, "%s#%06X", c > 0 ? " " : "", (unsigned)causes[c].colour);
    fprintf(settings,
            "'\nranks = %d\nmost = %.6g\nheadroom = %.4g\nbubble = %.6g\nnumbers = %d\n"
            "set xtics out nomirror offset 0, 0.4 0, %g\n",
            ranks, 100 * plot->axis->idle,
            1 + 2 * small / (plot->panel->bottom - plot->panel->top),
            100 * plot->report->metrics.bubble.fraction,
            width / ranks >= pp_plot_text_width(4.5, small),
            fmax(1, mark_step(plot, ranks, width, 0.8 + 0.6 * digits_of(ranks))));
    return pp_plot_write_causes(plot);
}

static void explain_ranks(struct pp_plot *plot)
{
    enum { EACH = 8 };
    int ranks = plot->report->schedule.ranks;
    for (int r = 0; r < ranks; r++) {
        char text[32];
        if (ranks > EACH && r != 0 && r != ranks / 2 && r != ranks - 1)
            continue;
        pp_assign(text, sizeof text, "rank %d", r);
        explain(plot, PP_MARK_LINE, pp_plot_rank_colour(r, ranks), 0, text);
    }
}

static void plan_predicted(struct pp_plot *plot)
{
    want_diagram(plot);
    set_left_margin(plot, 5);
    explain_ranks(plot);
    set_axis(plot, "op's start in %s · predicted: simulated with the median op times",
             plot->unit.name);
    if (plot->thinned)
        add_note(plot, "too many ops to draw: only some are");
}

static int write_predicted(struct pp_plot *plot, FILE *settings)
{
    const struct pp_plot_axis *axis = plot->axis;
    struct pp_time_unit unit = pp_time_unit(fmax(axis->late, axis->early));
    put_time_axis(plot, settings);
    char name[64], brief[32];
    pp_assign(name, sizeof name, "later than predicted, %s", unit.name);
    pp_assign(brief, sizeof brief, "late, %s", unit.name);
    put_left_axis(plot, settings, name, brief);
    fprintf(settings, "late = %.9g\nearly = %.9g\n", axis->late / unit.ns,
            axis->early / unit.ns);
    return pp_plot_write_late(plot);
}

const struct pp_picture pp_pictures[] = {
    {"timeline", "ops, bubbles, critical path", timeline_script, plan_timeline,
     write_timeline, .timeline = true},
    {"in-flight", "activations that each rank holds", in_flight_script, plan_in_flight,
     write_in_flight, .timeline = true},
    {"op-times", "by stage and kind", op_times_script, plan_op_times, write_op_times,
     .timeline = true},
    {"causes", "each rank's idle time, by cause", causes_script, plan_causes,
     write_causes},
    {"predicted", "how late each op started, against its prediction", predicted_script,
     plan_predicted, write_predicted, .timeline = true, .predicted = true},
    {0},
};
