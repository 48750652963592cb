#include "report/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "report/export.h"
#include "report/gnuplot.h"
#include "report/layout.h"
#include "report/numbers.h"
#include "timeline/critical.h"

enum { WIDTH = 1200, MOST_ROWS = 64 };

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

/* Okabe & Ito's colours, which the colour-blind tell apart
 * (https://jfly.uni-koeln.de/color), and a lighter one of each for odd chunks. */
static const int colours[PP_KINDS][2] = {[PP_F] = {0x56B4E9, 0xAADAF4},
                                         [PP_B] = {0xE69F00, 0xF3CF80},
                                         [PP_I] = {0xD55E00, 0xEAAF80},
                                         [PP_W] = {0x009E73, 0x80CFB9}};

/* What the writers of data work on. */
struct plot {
    const struct pp_report *report;
    struct pp_plot_directory *directory;
    const char *picture, *path;
    struct pp_error *error;
    struct pp_time_unit unit; /* of the time axis */
    struct pp_layout layout;  /* rows, and the cells where the ops are too many */
    bool thinned;
    bool seen[PP_KINDS]; /* the kinds that there are */
};

static double in_unit(const struct plot *plot, int64_t time)
{
    return (double)(time - plot->report->metrics.start) / plot->unit.ns;
}

static int colour_of(const struct plot *plot, size_t k)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    struct pp_op op = schedule->ops[k];
    return colours[op.kind][schedule->chunk_of[op.stage] % 2];
}

static double row_of(const struct plot *plot, int rank)
{
    return rank / plot->layout.ranks_per_row;
}

static int close_file(struct plot *plot, FILE *stream)
{
    return pp_plot_file_close(plot->directory, stream, plot->error);
}

static FILE *open_file(struct plot *plot, const char *name)
{
    return pp_plot_file_open(plot->directory, name, plot->error);
}

/* The legend: the kinds that there are. */
static void put_kinds(FILE *stream, const struct plot *plot)
{
    static const char *const names[PP_KINDS] = {"forward", "backward", "backward-input",
                                                "backward-weight"};
    char kinds[64] = "", shown[64] = "", words[128] = "";
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        if (!plot->seen[kind])
            continue;
        sprintf(kinds + strlen(kinds), "%c ", pp_kind_letter(kind));
        sprintf(shown + strlen(shown), "#%06X ", (unsigned)colours[kind][0]);
        sprintf(words + strlen(words), "%s ", names[kind]);
    }
    pp_plot_put_text(stream, "kinds", kinds);
    pp_plot_put_text(stream, "colours", shown);
    pp_plot_put_text(stream, "names", words);
}

static void put_headline(FILE *stream, const struct pp_report *report)
{
    const struct pp_schedule *schedule = &report->schedule;
    char text[256], bubble[32];
    snprintf(bubble, sizeof bubble, "%.3f", report->metrics.bubble.fraction);
    snprintf(text, sizeof text, "%s · p = %d, v = %d, m = %d · %s%s · bubble %s",
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

static double highest_peak(const struct pp_report *report)
{
    int most = 0;
    for (int r = 0; r < report->schedule.ranks; r++) {
        int peak = report->metrics.of_rank[r].peak_in_flight;
        most = peak > most ? peak : most;
    }
    return (double)most / report->schedule.chunks;
}

/* What the axes' labels add: how much a row stands for, what was left out. */
static void put_note(FILE *stream, const struct plot *plot, const char *thinned)
{
    char note[256] = "";
    if (plot->report->schedule.chunks > 1)
        strcat(note, " (odd chunks lighter)");
    if (plot->layout.ranks_per_row > 1)
        sprintf(note + strlen(note), " (a row stands for %d ranks)",
                plot->layout.ranks_per_row);
    if (plot->thinned)
        strcat(note, thinned);
    pp_plot_put_text(stream, "note", note);
}

/* The rank each row begins with; every few rows where they are many. */
static void put_rank_tics(FILE *stream, const struct pp_layout *layout)
{
    int step = (layout->rows + 31) / 32;
    fputs("rank_tics = '", stream);
    for (int y = 0; y < layout->rows; y += step)
        fprintf(stream, "%s\"%d\" %d", y > 0 ? ", " : "", y * layout->ranks_per_row, y);
    fputs("'\n", stream);
}

static int write_settings(struct plot *plot, int height, const char *thinned)
{
    const struct pp_report *report = plot->report;
    char name[64];
    snprintf(name, sizeof name, "%s-settings.gp", plot->picture);
    FILE *stream = open_file(plot, name);
    if (!stream)
        return -1;
    pp_plot_put_terminal(stream, plot->picture, plot->path, WIDTH, height);
    put_headline(stream, report);
    put_kinds(stream, plot);
    put_note(stream, plot, thinned);
    pp_plot_put_text(stream, "unit", plot->unit.name);
    fprintf(stream, "makespan = %.9g\nlower_bound = %.9g\n",
            (double)report->metrics.makespan / plot->unit.ns,
            (double)busiest(&report->metrics) / plot->unit.ns);
    fprintf(stream, "rows = %d\nstages = %d\nstage_step = %d\n", plot->layout.rows,
            report->schedule.stages, (report->schedule.stages + 31) / 32);
    fprintf(stream, "highest = %.9g\npeak_step = %d\n", highest_peak(report),
            (plot->layout.rows + 63) / 64);
    /* Borders tell the boxes apart, but would hide narrow ones. */
    fprintf(stream, "outline = %s\n",
            pp_schedule_ops(&report->schedule) > 2500 ? "0" : "0.5");
    put_rank_tics(stream, &plot->layout);
    return close_file(plot, stream);
}

static int write_rows(struct plot *plot, const char *name)
{
    FILE *stream = open_file(plot, name);
    if (!stream)
        return -1;
    double makespan = (double)plot->report->metrics.makespan / plot->unit.ns;
    for (int y = 0; y < plot->layout.rows; y++)
        fprintf(stream, "%.9g %d 0 %.9g %.2f %.2f\n", makespan / 2, y, makespan,
                y - 0.4, y + 0.4);
    return close_file(plot, stream);
}

static void put_box(FILE *stream, double start, double end, double row, int colour)
{
    fprintf(stream, "%.9g %.9g %g 0.8 %d\n", start, end, row, colour);
}

/* Cells next to each other that show the same colour become one box. */
static void put_cells(const struct plot *plot, FILE *stream)
{
    const struct pp_layout *layout = &plot->layout;
    double column = layout->column_ns / plot->unit.ns;
    for (int y = 0; y < layout->rows; y++) {
        const struct pp_cell *row = &layout->cells[(size_t)y * (size_t)layout->columns];
        for (int c = 0; c < layout->columns;) {
            int from = c, colour = colour_of(plot, row[c].op);
            bool busy = row[c].busy;
            while (c < layout->columns && row[c].busy == busy &&
                   (!busy || colour_of(plot, row[c].op) == colour))
                c++;
            if (busy)
                put_box(stream, from * column, c * column, y, colour);
        }
    }
}

static int write_ops(struct plot *plot)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    const struct pp_span *spans = plot->report->timeline.spans;
    FILE *stream = open_file(plot, "ops.dat");
    if (!stream)
        return -1;
    if (plot->thinned)
        put_cells(plot, stream);
    size_t count = plot->thinned ? 0 : pp_schedule_ops(schedule);
    for (size_t k = 0; k < count; k++)
        put_box(stream, in_unit(plot, spans[k].start), in_unit(plot, spans[k].end),
                pp_rank_of_op(schedule, (int64_t)k), colour_of(plot, k));
    return close_file(plot, stream);
}

/* The microbatches of the ops that have room for them. */
static int write_labels(struct plot *plot)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    const struct pp_span *spans = plot->report->timeline.spans;
    const double digit = 7.5, usable = 0.93 * WIDTH; /* pixels */
    FILE *stream = open_file(plot, "labels.dat");
    if (!stream)
        return -1;
    size_t written = 0, count = plot->thinned ? 0 : pp_schedule_ops(schedule);
    for (size_t k = 0; k < count; k++) {
        int microbatch = schedule->ops[k].microbatch;
        double room = (double)(spans[k].end - spans[k].start) /
                      (double)plot->report->metrics.makespan * usable;
        if (room < digit * snprintf(NULL, 0, "%d", microbatch) + 2)
            continue;
        fprintf(stream, "%.9g %d %d\n",
                (in_unit(plot, spans[k].start) + in_unit(plot, spans[k].end)) / 2,
                pp_rank_of_op(schedule, (int64_t)k), microbatch);
        written++;
    }
    if (written == 0) /* gnuplot does not take an empty file */
        fputs("NaN NaN 0\n", stream);
    return close_file(plot, stream);
}

static int write_path(struct plot *plot)
{
    const struct pp_report *report = plot->report;
    struct pp_producers producers = {0};
    struct pp_critical critical = {0};
    FILE *stream = NULL;
    int result = -1;
    if (pp_producers_init(&producers, &report->schedule, plot->error) != 0 ||
        pp_critical_init(&critical, &report->timeline, &report->metrics, &producers,
                         plot->error) != 0)
        goto done;
    stream = open_file(plot, "path.dat");
    if (!stream)
        goto done;
    for (size_t i = 0; i < critical.count; i++) {
        int64_t k = critical.links[i].op;
        double row = row_of(plot, pp_rank_of_op(&report->schedule, k));
        fprintf(stream, "%.9g %g\n%.9g %g\n",
                in_unit(plot, report->timeline.spans[k].start), row,
                in_unit(plot, report->timeline.spans[k].end), row);
    }
    result = close_file(plot, stream);
done:
    pp_producers_release(&producers);
    pp_critical_release(&critical);
    return result;
}

static int draw_timeline(struct plot *plot)
{
    int height = 170 + 26 * (plot->layout.rows < 4 ? 4 : plot->layout.rows);
    if (write_settings(plot, height,
                       " (too many ops to draw each: what takes most is shown)") != 0 ||
        write_rows(plot, "rows.dat") != 0 || write_ops(plot) != 0 ||
        write_labels(plot) != 0)
        return -1;
    return write_path(plot);
}

/* One end of an activation's stay on a rank. */
struct change {
    int64_t time;
    int by;
};

static int compare_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->by - b->by; /* what is freed is free for what comes */
}

/* A rank's outline, from the row's floor and back to it; only every stride-th change
 * where they are too many. */
static void put_outline(const struct plot *plot, FILE *stream, int rank,
                        const struct change *changes, size_t count, size_t stride)
{
    const struct pp_report *report = plot->report;
    double floor_ = rank + 0.4, scale = 0.8 / highest_peak(report);
    int held = 0;
    fprintf(stream, "0 %g\n", floor_);
    for (size_t i = 0; i < count; i++) {
        double time = in_unit(plot, changes[i].time);
        double before = (double)held / report->schedule.chunks;
        held += changes[i].by;
        double after = (double)held / report->schedule.chunks;
        if (i % stride == 0 || i + 1 == count)
            fprintf(stream, "%.9g %.6g\n%.9g %.6g\n", time, floor_ - scale * before,
                    time, floor_ - scale * after);
    }
    fprintf(stream, "%.9g %g\n\n\n", (double)report->metrics.makespan / plot->unit.ns,
            floor_);
}

static int write_in_flight(struct plot *plot)
{
    const struct pp_report *report = plot->report;
    const struct pp_schedule *schedule = &report->schedule;
    size_t ops = pp_schedule_ops(schedule), stride = 1 + ops / PP_PLOT_MOST_OPS;
    struct change *changes = malloc((ops + 1) * sizeof *changes);
    FILE *stream = open_file(plot, "in_flight.dat");
    if (!changes || !stream) {
        if (!changes)
            pp_fail(plot->error, PP_ENVIRONMENT, "out of memory for a picture");
        if (stream)
            fclose(stream);
        free(changes);
        return -1;
    }
    for (int r = 0; r < schedule->ranks; r++) {
        size_t count = 0;
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            const struct pp_span *span = &report->timeline.spans[k];
            enum pp_kind kind = schedule->ops[k].kind;
            if (kind == PP_F)
                changes[count++] = (struct change){span->start, 1};
            else if (kind != PP_I)
                changes[count++] = (struct change){span->end, -1};
        }
        qsort(changes, count, sizeof *changes, compare_changes);
        put_outline(plot, stream, r, changes, count, stride);
    }
    free(changes);
    return close_file(plot, stream);
}

static int write_peaks(struct plot *plot)
{
    const struct pp_report *report = plot->report;
    FILE *stream = open_file(plot, "peaks.dat");
    if (!stream)
        return -1;
    for (int r = 0; r < report->schedule.ranks; r++)
        fprintf(stream, "%.9g %d %g\n",
                (double)report->metrics.makespan / plot->unit.ns, r,
                report->ranks[r].peak_in_flight);
    return close_file(plot, stream);
}

static int draw_in_flight(struct plot *plot)
{
    /* Ranks do not add up here: each has its row, however many there are. */
    plot->layout.rows = plot->report->schedule.ranks;
    plot->layout.ranks_per_row = 1;
    int rows = plot->layout.rows < 4 ? 4 : plot->layout.rows;
    int height = 170 + (rows > 64 ? 64 * 26 : rows > 16 ? 26 * rows : 40 * rows);
    if (write_settings(plot, height, " (too many ops to draw each: thinned)") != 0 ||
        write_rows(plot, "bands.dat") != 0 || write_in_flight(plot) != 0)
        return -1;
    return write_peaks(plot);
}

/* Where on the axis of stages: the kinds that there are stand side by side. */
static double place_of(const struct plot *plot, int stage, enum pp_kind kind)
{
    int before = 0, count = 0;
    for (enum pp_kind other = PP_F; other <= PP_W; other++) {
        before += other < kind && plot->seen[other];
        count += plot->seen[other];
    }
    return stage + 0.24 * (before - (count - 1) / 2.0);
}

static int write_op_times(struct plot *plot)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    const struct pp_span *spans = plot->report->timeline.spans;
    size_t ops = pp_schedule_ops(schedule), stride = 1 + ops / PP_PLOT_MOST_OPS;
    FILE *stream = open_file(plot, "op_times.dat");
    if (!stream)
        return -1;
    for (size_t k = 0; k < ops; k += stride) {
        struct pp_op op = schedule->ops[k];
        /* Spread out sideways, in the order of the microbatches. */
        double spread = 0.16 * ((double)op.microbatch / schedule->microbatches - 0.5);
        fprintf(stream, "%.6g %.9g %d\n",
                place_of(plot, (int)op.stage, (enum pp_kind)op.kind) + spread,
                (double)(spans[k].end - spans[k].start) / plot->unit.ns,
                colours[op.kind][0]);
    }
    return close_file(plot, stream);
}

static int write_costs(struct plot *plot)
{
    const struct pp_report *report = plot->report;
    FILE *stream = open_file(plot, "costs.dat");
    if (!stream)
        return -1;
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        fprintf(stream, "%.6g %.9g %.9g %.9g\n",
                place_of(plot, cost->stage, cost->kind),
                (double)cost->median / plot->unit.ns, (double)cost->p5 / plot->unit.ns,
                (double)cost->p95 / plot->unit.ns);
    }
    return close_file(plot, stream);
}

static int draw_op_times(struct plot *plot)
{
    double longest = 0;
    for (int i = 0; i < plot->report->cost_count; i++)
        longest = fmax(longest, (double)plot->report->costs[i].p95);
    plot->unit = pp_time_unit(longest);
    plot->layout.ranks_per_row = 1;
    if (write_settings(plot, 600, " (too many ops to draw each: thinned)") != 0 ||
        write_op_times(plot) != 0)
        return -1;
    return write_costs(plot);
}

const char *const pp_pictures[] = {"timeline", "in-flight", "op-times", NULL};

/* In the order of pp_pictures. */
static const struct {
    const char *script;
    int (*draw)(struct plot *plot);
} drawers[] = {
    {timeline_script, draw_timeline},
    {in_flight_script, draw_in_flight},
    {op_times_script, draw_op_times},
};

/* The index of the picture, -1 with the error set if there is none of that name. */
static int find_picture(const char *picture, struct pp_error *error)
{
    char list[128];
    for (int i = 0; pp_pictures[i]; i++) {
        if (strcmp(picture, pp_pictures[i]) == 0)
            return i;
    }
    pp_names_list(pp_pictures, list, sizeof list);
    return pp_fail(error, PP_BAD_INPUT, "there is no picture '%s': there are %s",
                   picture, list);
}

int pp_report_plot_data(const struct pp_report *report, const char *picture,
                        const char *path, struct pp_plot_directory *directory,
                        struct pp_error *error)
{
    size_t ops = pp_schedule_ops(&report->schedule);
    struct plot plot = {
        .report = report,
        .directory = directory,
        .picture = picture,
        .path = path,
        .error = error,
        .unit = pp_time_unit((double)report->metrics.makespan),
        .thinned = ops > PP_PLOT_MOST_OPS || report->schedule.ranks > MOST_ROWS,
    };
    int index = find_picture(picture, error);
    if (index < 0 || pp_plot_path_check(path, error) != 0 ||
        pp_report_need_timeline(report, error) != 0)
        return -1;
    for (int i = 0; i < report->cost_count; i++)
        plot.seen[report->costs[i].kind] = true;
    int rows = report->schedule.ranks < MOST_ROWS ? report->schedule.ranks : MOST_ROWS;
    int columns = PP_PLOT_MOST_OPS / rows < WIDTH ? PP_PLOT_MOST_OPS / rows : WIDTH;
    if (pp_layout_init(&plot.layout, report, MOST_ROWS, columns, error) != 0)
        return -1;
    int result = -1;
    char name[64];
    snprintf(name, sizeof name, "%s.gp", picture);
    FILE *stream = pp_plot_file_open(directory, name, error);
    if (stream) {
        fputs(drawers[index].script, stream);
        result = pp_plot_file_close(directory, stream, error);
    }
    if (result == 0)
        result = drawers[index].draw(&plot);
    pp_layout_release(&plot.layout);
    return result;
}

int pp_report_plot(const struct pp_report *report, const char *picture,
                   const char *path, const char *keep_data, struct pp_error *error)
{
    struct pp_plot_directory directory;
    if (find_picture(picture, error) < 0 || pp_plot_path_check(path, error) != 0)
        return -1;
    int result = pp_plot_directory_init(&directory, keep_data, error);
    if (result == 0)
        result = pp_report_plot_data(report, picture, path, &directory, error);
    if (result == 0)
        result = pp_gnuplot(&directory, picture, path, error);
    pp_plot_directory_release(&directory);
    return result;
}
