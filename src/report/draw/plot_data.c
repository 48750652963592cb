#include "report/draw/plot_data.h"

#include <math.h>
#include <stdlib.h>

#include "base/words.h"
#include "report/palette.h"
#include "timeline/critical.h"

static double in_unit(const struct pp_plot *plot, int64_t time)
{
    return (double)(time - plot->report->metrics.start) / plot->unit.ns;
}

int pp_plot_colour(const struct pp_plot *plot, size_t k)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    struct pp_op op = schedule->ops[k];
    return pp_palette[op.kind].rgb[pp_is_lighter(schedule, op)];
}

static double row_of(const struct pp_plot *plot, int rank)
{
    return (double)(rank / plot->layout.ranks_per_row);
}

static int close_file(struct pp_plot *plot, FILE *stream)
{
    return pp_plot_file_close(plot->directory, stream, plot->error);
}

static FILE *open_file(struct pp_plot *plot, const char *name)
{
    char prefixed[64];
    pp_assign(prefixed, sizeof prefixed, "%s%s", plot->prefix, name);
    return pp_plot_file_open(plot->directory, prefixed, plot->error);
}

double pp_plot_row_height(const struct pp_plot *plot)
{
    const struct pp_panel *panel = plot->panel;
    return (panel->bottom - panel->top) / plot->layout.rows;
}

double pp_plot_highest_peak(const struct pp_report *report)
{
    int most = 0;
    for (int r = 0; r < report->schedule.ranks; r++) {
        int peak = report->metrics.of_rank[r].peak_in_flight;
        most = peak > most ? peak : most;
    }
    return (double)most / report->schedule.chunks;
}

int pp_plot_write_rows(struct pp_plot *plot, const char *name)
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
static void put_cells(const struct pp_plot *plot, FILE *stream)
{
    const struct pp_layout *layout = &plot->layout;
    double column = layout->column_ns / plot->unit.ns;
    for (int y = 0; y < layout->rows; y++) {
        const struct pp_cell *row = &layout->cells[(size_t)y * (size_t)layout->columns];
        for (int c = 0; c < layout->columns;) {
            int from = c, colour = pp_plot_colour(plot, row[c].op);
            bool busy = row[c].busy;
            while (c < layout->columns && row[c].busy == busy &&
                   (!busy || pp_plot_colour(plot, row[c].op) == colour))
                c++;
            if (busy)
                put_box(stream, from * column, c * column, y, colour);
        }
    }
}

int pp_plot_write_ops(struct pp_plot *plot)
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
                pp_rank_of_op(schedule, (int64_t)k), pp_plot_colour(plot, k));
    return close_file(plot, stream);
}

/* Is an op of the kind, by its median time, large enough for the longest microbatch
 * number? All ops of a kind are labelled or none. */
static bool has_room(const struct pp_plot *plot, enum pp_kind kind)
{
    const struct pp_report *report = plot->report;
    double font = pp_plot_small_font(&plot->sheet->size);
    int digits = snprintf(NULL, 0, "%d", report->schedule.microbatches - 1);
    double needed = pp_plot_text_width(digits, font) + 2;
    bool room = !plot->thinned && 0.8 * pp_plot_row_height(plot) >= font;
    for (int i = 0; i < report->cost_count; i++) {
        double width = (double)report->costs[i].median / plot->axis->makespan *
                       pp_sheet_width(plot->sheet, plot->panel);
        room &= report->costs[i].kind != kind || width > needed;
    }
    return room;
}

/* The microbatches of the ops. The first line is there because gnuplot wants one. */
int pp_plot_write_labels(struct pp_plot *plot)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    const struct pp_span *spans = plot->report->timeline.spans;
    bool labelled[PP_KINDS];
    FILE *stream = open_file(plot, "labels.dat");
    if (!stream)
        return -1;
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++)
        labelled[kind] = has_room(plot, kind);
    fputs("0 0 \"\"\n", stream);
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        struct pp_op op = schedule->ops[k];
        if (labelled[op.kind])
            fprintf(stream, "%.9g %d %d\n",
                    (in_unit(plot, spans[k].start) + in_unit(plot, spans[k].end)) / 2,
                    pp_op_rank(schedule, op), op.microbatch);
    }
    return close_file(plot, stream);
}

int pp_plot_write_path(struct pp_plot *plot)
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
        int64_t k = critical.path[i].op;
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

/* As long as the busiest rank works, from bottom to top. */
int pp_plot_write_bound(struct pp_plot *plot)
{
    const struct pp_metrics *metrics = &plot->report->metrics;
    int64_t most = 0;
    FILE *stream = open_file(plot, "bound.dat");
    if (!stream)
        return -1;
    for (int r = 0; r < metrics->ranks; r++)
        most = metrics->of_rank[r].busy > most ? metrics->of_rank[r].busy : most;
    double bound = (double)most / plot->unit.ns;
    fprintf(stream, "%.9g %.2f\n%.9g -0.6\n", bound, plot->layout.rows - 0.4, bound);
    return close_file(plot, stream);
}

/* A rank takes up activations, or frees them. */
struct change {
    int64_t time;
    int by;
};

static int compare_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->by - b->by; /* at one time, what is freed comes first */
}

/* A rank's outline, from the row's lower edge and back to it. stride > 1: only every
 * stride-th change. */
static void put_outline(const struct pp_plot *plot, FILE *stream, int rank,
                        const struct change *changes, size_t count, size_t stride)
{
    const struct pp_report *report = plot->report;
    double floor_ = rank + 0.4, scale = 0.8 / plot->axis->peak;
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

int pp_plot_write_in_flight(struct pp_plot *plot)
{
    const struct pp_report *report = plot->report;
    const struct pp_schedule *schedule = &report->schedule;
    size_t ops = pp_schedule_ops(schedule), stride = 1 + ops / PP_PLOT_MOST_OPS;
    struct change *changes = malloc((2 * ops + 1) * sizeof *changes);
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
            struct pp_in_flight by = pp_in_flight(schedule, schedule->ops[k].kind);
            if (by.from_start)
                changes[count++] = (struct change){span->start, by.from_start};
            if (by.at_end)
                changes[count++] = (struct change){span->end, by.at_end};
        }
        qsort(changes, count, sizeof *changes, compare_changes);
        put_outline(plot, stream, r, changes, count, stride);
    }
    free(changes);
    return close_file(plot, stream);
}

int pp_plot_write_peaks(struct pp_plot *plot)
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

/* The place on the axis of stages, where the kinds stand side by side, or in decoding
 * the classes; ops of one kind or class are spread about it. */
struct place {
    double at, spread;
};

static struct place place_of(const struct pp_plot *plot, int stage, enum pp_kind kind,
                             const struct pp_class *of_class)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    int before = 0, count = 0;
    for (enum pp_kind other = PP_F; other <= PP_W && !pp_decodes(schedule); other++) {
        before += other < kind && plot->seen[other];
        count += plot->seen[other];
    }
    for (int c = 0; c < schedule->class_count; c++) {
        if (pp_same_class(&schedule->classes[c], of_class))
            before = c;
        count++;
    }
    double width = fmin(0.24, 0.96 / count);
    return (struct place){stage + width * (before - (count - 1) / 2.0), width / 1.5};
}

int pp_plot_write_op_times(struct pp_plot *plot)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    const struct pp_span *spans = plot->report->timeline.spans;
    size_t ops = pp_schedule_ops(schedule), stride = 1 + ops / PP_PLOT_MOST_OPS;
    FILE *stream = open_file(plot, "op_times.dat");
    if (!stream)
        return -1;
    for (size_t k = 0; k < ops; k += stride) {
        struct pp_op op = schedule->ops[k];
        struct place place = place_of(plot, (int)op.stage, (enum pp_kind)op.kind,
                                      pp_class_of(schedule, op.microbatch));
        /* Spread out sideways, in the order of the microbatches. */
        place.at +=
            place.spread * ((double)op.microbatch / schedule->microbatches - 0.5);
        fprintf(stream, "%.6g %.9g %d\n", place.at,
                (double)(spans[k].end - spans[k].start) / plot->unit.ns,
                pp_palette[op.kind].rgb[0]);
    }
    return close_file(plot, stream);
}

int pp_plot_write_costs(struct pp_plot *plot)
{
    const struct pp_report *report = plot->report;
    FILE *stream = open_file(plot, "costs.dat");
    if (!stream)
        return -1;
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        fprintf(stream, "%.6g %.9g %.9g %.9g\n",
                place_of(plot, cost->stage, cost->kind, &cost->of_class).at,
                (double)cost->median / plot->unit.ns, (double)cost->p5 / plot->unit.ns,
                (double)cost->p95 / plot->unit.ns);
    }
    return close_file(plot, stream);
}

int64_t pp_plot_cause(const struct pp_causes *causes, int cause)
{
    const int64_t all[PP_CAUSES] = {causes->warmup, causes->dependency,
                                    causes->communication, causes->overhead,
                                    causes->cooldown};
    return all[cause];
}

/* In percent of the makespan. */
int pp_plot_write_causes(struct pp_plot *plot)
{
    const struct pp_metrics *metrics = &plot->report->metrics;
    FILE *stream = open_file(plot, "causes.dat");
    if (!stream)
        return -1;
    for (int r = 0; r < metrics->ranks; r++) {
        fprintf(stream, "%d", r);
        for (int c = 0; c < PP_CAUSES; c++)
            fprintf(stream, " %.6g",
                    100 * (double)pp_plot_cause(&metrics->of_rank[r].causes, c) /
                        (double)metrics->makespan);
        fputc('\n', stream);
    }
    return close_file(plot, stream);
}

double pp_plot_late(const struct pp_report *report, const struct pp_timeline *predicted,
                    size_t k)
{
    return (double)(report->timeline.spans[k].start - report->metrics.start -
                    predicted->spans[k].start);
}

/* Okabe & Ito's while they last, then from blue to red. */
int pp_plot_rank_colour(int rank, int ranks)
{
    static const int few[] = {0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                              0xE69F00, 0x56B4E9, 0x000000, 0x999999};
    enum { FEW = sizeof few / sizeof few[0] };
    static const int from[] = {0x20, 0x50, 0xC8}, to[] = {0xE0, 0x60, 0x00};
    if (ranks <= FEW)
        return few[rank];
    int colour = 0;
    for (int i = 0; i < 3; i++)
        colour = colour << 8 | (from[i] + (to[i] - from[i]) * rank / (ranks - 1));
    return colour;
}

/* A block per rank. */
int pp_plot_write_late(struct pp_plot *plot)
{
    const struct pp_schedule *schedule = &plot->report->schedule;
    size_t stride = 1 + pp_schedule_ops(schedule) / PP_PLOT_MOST_OPS;
    double unit = pp_time_unit(fmax(plot->axis->late, plot->axis->early)).ns;
    FILE *stream = open_file(plot, "late.dat");
    if (!stream)
        return -1;
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k += stride)
            fprintf(stream, "%.9g %.6g %d\n",
                    in_unit(plot, plot->report->timeline.spans[k].start),
                    pp_plot_late(plot->report, plot->predicted, k) / unit,
                    pp_plot_rank_colour(r, schedule->ranks));
        fputc('\n', stream);
    }
    return close_file(plot, stream);
}
