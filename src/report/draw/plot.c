#include "report/draw/plot.h"

#include <math.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"
#include "report/draw/plot_data.h"
#include "report/palette.h"

enum { MOST_ROWS = 64 };

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

/* The legend: the kinds of op in this step; and all colours. */
static void put_kinds(FILE *stream, const struct pp_plot *plot)
{
    char kinds[64] = "", shown[64] = "", words[128] = "";
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        if (!plot->seen[kind])
            continue;
        sprintf(kinds + strlen(kinds), "%c ", pp_kind_letter(kind));
        sprintf(shown + strlen(shown), "#%06X ", (unsigned)pp_palette[kind].rgb[0]);
        sprintf(words + strlen(words), "\"%s\" ", pp_kind_name(kind));
    }
    pp_plot_put_text(stream, "kinds", kinds);
    pp_plot_put_text(stream, "colours", shown);
    pp_plot_put_text(stream, "names", words);
    fprintf(stream, "bubble_colour = '#%06X'\nin_flight_colour = '#%06X'\n",
            (unsigned)PP_COLOUR_BUBBLE, (unsigned)PP_COLOUR_IN_FLIGHT);
}

static void put_headline(FILE *stream, const struct pp_report *report)
{
    const struct pp_schedule *schedule = &report->schedule;
    char text[256], bubble[32];
    pp_assign(bubble, sizeof bubble, "%.3f", report->metrics.bubble.fraction);
    pp_assign(text, sizeof text, "%s · p = %d, v = %d, m = %d · %s%s · bubble %s",
              schedule->name, schedule->ranks, schedule->chunks, schedule->microbatches,
              report->environment.clock,
              strcmp(report->command, "run") == 0 ? " clock" : "", bubble);
    pp_plot_put_text(stream, "headline", text);
}

static int64_t busiest(const struct pp_metrics *metrics)
{
    int64_t most = 0;
    for (int r = 0; r < metrics->ranks; r++)
        most = metrics->of_rank[r].busy > most ? metrics->of_rank[r].busy : most;
    return most;
}

/* What the label of the time axis adds: how many ranks a row shows, what was left out.
 */
static void put_note(FILE *stream, const struct pp_plot *plot, const char *thinned)
{
    char note[256] = "";
    if (plot->lighter)
        pp_append(note, sizeof note, " (odd chunks lighter)");
    if (plot->layout.ranks_per_row > 1)
        pp_append(note, sizeof note, " (%d ranks per row)", plot->layout.ranks_per_row);
    if (plot->points_of > 0)
        pp_append(note, sizeof note, " (points: of step %d)", plot->points_of);
    if (plot->thinned)
        pp_append(note, sizeof note, "%s", thinned);
    pp_plot_put_text(stream, "note", note);
}

/* The first rank of each row; of many rows only every few have a label. */
static void put_rank_tics(FILE *stream, const struct pp_layout *layout)
{
    int step = (layout->rows + 31) / 32;
    fputs("rank_tics = '", stream);
    for (int y = 0; y < layout->rows; y += step)
        fprintf(stream, "%s\"%d\" %d", y > 0 ? ", " : "", y * layout->ranks_per_row, y);
    fputs("'\n", stream);
}

static int write_settings(struct pp_plot *plot, int height, const char *thinned)
{
    const struct pp_report *report = plot->report;
    char name[64];
    pp_assign(name, sizeof name, "%s-settings.gp", plot->picture);
    FILE *stream = pp_plot_file_open(plot->directory, name, plot->error);
    if (!stream)
        return -1;
    pp_plot_put_terminal(stream, plot->picture, plot->path, PP_PLOT_WIDTH, height);
    put_headline(stream, report);
    put_kinds(stream, plot);
    put_note(stream, plot, thinned);
    pp_plot_put_text(stream, "unit", plot->unit.name);
    fprintf(stream, "makespan = %.9g\nlower_bound = %.9g\n",
            (double)report->metrics.makespan / plot->unit.ns,
            (double)busiest(&report->metrics) / plot->unit.ns);
    fprintf(stream, "rows = %d\nstages = %d\nstage_step = %d\n", plot->layout.rows,
            report->schedule.stages, (report->schedule.stages + 31) / 32);
    fprintf(stream, "highest = %.9g\npeak_step = %d\n", pp_plot_highest_peak(report),
            (plot->layout.rows + 63) / 64);
    /* Borders separate the boxes, but would hide narrow ones. */
    fprintf(stream, "outline = %s\n",
            pp_schedule_ops(&report->schedule) > 2500 ? "0" : "0.5");
    put_rank_tics(stream, &plot->layout);
    return pp_plot_file_close(plot->directory, stream, plot->error);
}

static int draw_timeline(struct pp_plot *plot)
{
    int rows = plot->layout.rows < 4 ? 4 : plot->layout.rows;
    int height = 170 + (rows > 32 ? 14 : 26) * rows;
    plot->lighter = plot->report->schedule.chunks > 1;
    if (write_settings(plot, height,
                       " (too many ops to draw one by one: in proportion)") != 0 ||
        pp_plot_write_rows(plot, "rows.dat") != 0 || pp_plot_write_ops(plot) != 0 ||
        pp_plot_write_labels(plot) != 0)
        return -1;
    return pp_plot_write_path(plot);
}

static int draw_in_flight(struct pp_plot *plot)
{
    /* Activations of several ranks cannot share a row: each rank has its own. */
    plot->layout.rows = plot->report->schedule.ranks;
    plot->layout.ranks_per_row = 1;
    int rows = plot->layout.rows < 4 ? 4 : plot->layout.rows;
    int height = 170 + (rows > 64 ? 64 * 26 : rows > 16 ? 26 * rows : 40 * rows);
    if (write_settings(plot, height, " (too many ops to draw: only some are)") != 0 ||
        pp_plot_write_rows(plot, "bands.dat") != 0 ||
        pp_plot_write_in_flight(plot) != 0)
        return -1;
    return pp_plot_write_peaks(plot);
}

static int draw_op_times(struct pp_plot *plot)
{
    double longest = 0;
    for (int i = 0; i < plot->report->cost_count; i++)
        longest = fmax(longest, (double)plot->report->costs[i].p95);
    plot->unit = pp_time_unit(longest);
    plot->layout.ranks_per_row = 1;
    if (plot->report->step_count > 1)
        plot->points_of = plot->report->steps[plot->report->representative].number;
    if (write_settings(plot, 600, " (too many ops to draw: only some are)") != 0 ||
        pp_plot_write_op_times(plot) != 0)
        return -1;
    return pp_plot_write_costs(plot);
}

const struct pp_picture pp_pictures[] = {
    {"timeline", "ops, bubbles, critical path", timeline_script, draw_timeline},
    {"in-flight", "activations that each rank holds", in_flight_script, draw_in_flight},
    {"op-times", "by stage and kind", op_times_script, draw_op_times},
    {0},
};

const struct pp_picture *pp_picture_find(const char *name, struct pp_error *error)
{
    enum { PICTURES = sizeof pp_pictures / sizeof *pp_pictures };
    const char *names[PICTURES];
    char list[128];
    for (int i = 0; i < PICTURES; i++) {
        names[i] = pp_pictures[i].name;
        if (names[i] && strcmp(names[i], name) == 0)
            return &pp_pictures[i];
    }
    pp_names_list(names, list, sizeof list);
    pp_fail(error, PP_BAD_INPUT, "no picture '%s': the pictures are %s", name, list);
    return NULL;
}

int pp_report_plot_data(const struct pp_report *report, const char *picture,
                        const char *path, struct pp_plot_directory *directory,
                        struct pp_error *error)
{
    size_t ops = pp_schedule_ops(&report->schedule);
    struct pp_plot plot = {
        .report = report,
        .directory = directory,
        .picture = picture,
        .path = path,
        .error = error,
        .unit = pp_time_unit((double)report->metrics.makespan),
        .thinned = ops > PP_PLOT_MOST_OPS || report->schedule.ranks > MOST_ROWS,
    };
    const struct pp_picture *row = pp_picture_find(picture, error);
    if (!row || pp_plot_path_check(path, error) != 0 ||
        pp_report_need_timeline(report, error) != 0)
        return -1;
    for (int i = 0; i < report->cost_count; i++)
        plot.seen[report->costs[i].kind] = true;
    int rows = report->schedule.ranks < MOST_ROWS ? report->schedule.ranks : MOST_ROWS;
    int columns = PP_PLOT_MOST_OPS / rows < PP_PLOT_WIDTH ? PP_PLOT_MOST_OPS / rows
                                                          : PP_PLOT_WIDTH;
    if (pp_layout_init(&plot.layout, report, MOST_ROWS, columns, error) != 0)
        return -1;
    int result = -1;
    char name[64];
    pp_assign(name, sizeof name, "%s.gp", picture);
    FILE *stream = pp_plot_file_open(directory, name, error);
    if (stream) {
        fputs(row->script, stream);
        result = pp_plot_file_close(directory, stream, error);
    }
    if (result == 0)
        result = row->draw(&plot);
    pp_layout_release(&plot.layout);
    return result;
}

int pp_report_plot(const struct pp_report *report, const char *picture,
                   const char *path, const char *keep_data, struct pp_error *error)
{
    struct pp_plot_directory directory;
    if (!pp_picture_find(picture, error) || pp_plot_path_check(path, error) != 0)
        return -1;
    int result = pp_plot_directory_init(&directory, keep_data, error);
    if (result == 0)
        result = pp_report_plot_data(report, picture, path, &directory, error);
    if (result == 0)
        result = pp_gnuplot(&directory, picture, path, error);
    pp_plot_directory_release(&directory);
    return result;
}
