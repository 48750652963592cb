#include "report/layout.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a cell holds while it is being filled. */
struct content {
    int64_t time[PP_KINDS]; /* ns of all ops of a kind */
    int64_t most[PP_KINDS]; /* ns of the op that takes most */
    size_t op[PP_KINDS];
    bool dense; /* some of its ops are shorter than a column */
};

/* Where column c begins, in ns from the start; exact, without overflow. */
static int64_t boundary(int64_t span, int columns, int c)
{
    return span / columns * c + span % columns * c / columns;
}

/* Adds an op to the cells that it touches. edge has where the columns begin, and the
 * end; *column is the first cell of the rank's previous op; no op begins before that
 * one. */
static void add_op(struct content *row, const struct pp_layout *layout,
                   const int64_t *edge, int *column, size_t k)
{
    const struct pp_report *report = layout->report;
    const struct pp_span *span = &report->timeline.spans[k];
    enum pp_kind kind = report->schedule.ops[k].kind;
    int64_t start = span->start - report->metrics.start;
    int64_t end = span->end - report->metrics.start;
    bool dense = (double)(end - start) < layout->column_ns;
    /* NOLINTBEGIN(clang-analyzer-core.*): edge has columns + 1 entries. */
    while (*column + 1 < layout->columns && edge[*column + 1] <= start)
        ++*column;
    for (int c = *column; c < layout->columns && edge[c] < end; c++) {
        int64_t time = (end < edge[c + 1] ? end : edge[c + 1]) -
                       (start > edge[c] ? start : edge[c]);
        row[c].dense |= dense;
        row[c].time[kind] += time;
        if (time > row[c].most[kind]) {
            row[c].most[kind] = time;
            row[c].op[kind] = k;
        }
    }
    /* NOLINTEND(clang-analyzer-core.*) */
}

enum { BUBBLE = PP_KINDS, CONTENTS };

/* Picks what a cell shows: what takes most of it. Where ops are shorter than a cell,
 * that would hide the shorter kinds: there, what a cell does not show is owed to the
 * cells that follow (error diffusion: Floyd & Steinberg, 1976, in one dimension), so
 * that a row shows each kind, and the bubble, in proportion to its time; but a cell
 * never shows what it does not hold. */
static struct pp_cell decide(const struct content *content, int64_t capacity,
                             int64_t owed[CONTENTS])
{
    int64_t time[CONTENTS] = {[BUBBLE] = capacity}, weight[CONTENTS];
    int pick = BUBBLE;
    for (int kind = 0; kind < PP_KINDS; kind++) {
        time[kind] = content->time[kind];
        time[BUBBLE] -= time[kind];
    }
    for (int i = CONTENTS - 1; i >= 0; i--) {
        owed[i] += content->dense ? time[i] : 0;
        weight[i] = content->dense ? owed[i] : time[i];
        if (time[i] > 0 && (time[pick] <= 0 || weight[i] >= weight[pick]))
            pick = i;
    }
    owed[pick] -= content->dense ? capacity : 0;
    if (pick == BUBBLE)
        return (struct pp_cell){.busy = false};
    return (struct pp_cell){true, (enum pp_kind)pick, content->op[pick]};
}

/* Fills in the cells of a row: its ranks' ops are added up column by column, then each
 * column becomes a cell. */
static void lay_row(struct pp_layout *layout, int y, const int64_t *edge,
                    struct content *row)
{
    const struct pp_report *report = layout->report;
    const struct pp_schedule *schedule = &report->schedule;
    int columns = layout->columns, first = y * layout->ranks_per_row;
    int last = first + layout->ranks_per_row;
    struct pp_cell *cells = &layout->cells[(size_t)y * (size_t)columns];
    int64_t owed[CONTENTS] = {0};
    if (last > schedule->ranks)
        last = schedule->ranks;
    memset(row, 0, (size_t)columns * sizeof *row);
    for (int r = first; r < last; r++) {
        int column = 0;
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            const struct pp_span *span = &report->timeline.spans[k];
            double time = (double)(span->end - span->start);
            layout->short_ops += time < layout->column_ns;
            if (time > 0)
                add_op(row, layout, edge, &column, k);
        }
    }
    for (int c = 0; c < columns; c++) {
        /* Every edge is set. NOLINTNEXTLINE(clang-analyzer-core.*) */
        int64_t capacity = (edge[c + 1] - edge[c]) * (last - first);
        cells[c] = decide(&row[c], capacity, owed);
    }
}

int pp_layout_init(struct pp_layout *layout, const struct pp_report *report,
                   int most_rows, int columns, struct pp_error *error)
{
    assert(most_rows >= 1 && columns >= 1);
    int ranks = report->schedule.ranks;
    int64_t whole = report->metrics.makespan;
    int ranks_per_row = (ranks + most_rows - 1) / most_rows;
    int rows = (ranks + ranks_per_row - 1) / ranks_per_row;
    struct content *row = malloc((size_t)columns * sizeof *row);
    int64_t *edge = malloc(((size_t)columns + 1) * sizeof *edge);
    *layout = (struct pp_layout){
        .report = report,
        .rows = rows,
        .columns = columns,
        .ranks_per_row = ranks_per_row,
        .column_ns = (double)whole / columns,
        .cells = calloc((size_t)rows * (size_t)columns, sizeof *layout->cells),
    };
    if (!row || !edge || !layout->cells) {
        free(row);
        free(edge);
        pp_layout_release(layout);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a picture of %d by %d",
                       columns, rows);
    }
    for (int c = 0; c <= columns; c++)
        edge[c] = boundary(whole, columns, c);
    for (int y = 0; y < rows; y++)
        lay_row(layout, y, edge, row);
    free(row);
    free(edge);
    return 0;
}

void pp_layout_release(struct pp_layout *layout)
{
    free(layout->cells);
    *layout = (struct pp_layout){0};
}

double pp_axis_step(double length, int most)
{
    if (!(length > 0) || most < 1)
        return 1;
    double power = pow(10, floor(log10(length / most)));
    for (;; power *= 10) {
        for (int i = 0; i < 3; i++) {
            double step = power * (double[]){1, 2, 5}[i];
            if (length / step <= most)
                return step;
        }
    }
}
