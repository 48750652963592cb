#include "report/print/grid.h"

#include <string.h>

static const char *op_text(const struct pp_schedule *schedule, struct pp_op op,
                           char buffer[PP_OP_TEXT])
{
    const char *text = pp_op_text(op, buffer);
    return schedule->chunks == 1 ? text + strspn(text, "0123456789") : text;
}

static int widest(const struct pp_schedule *schedule)
{
    size_t most = 1;
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        char buffer[PP_OP_TEXT];
        size_t width = strlen(op_text(schedule, schedule->ops[k], buffer));
        if (width > most)
            most = width;
    }
    return (int)most;
}

/* A stretch of columns, from first to before end, and where the row is by now. */
struct stretch {
    FILE *stream;
    int64_t first, end, at;
    int width; /* of a column, without the blank before it */
};

static void fill(struct stretch *stretch, const char *text, int64_t slots)
{
    for (; slots > 0; slots--, stretch->at++) {
        if (stretch->at >= stretch->first && stretch->at < stretch->end)
            fprintf(stretch->stream, " %*s", stretch->width, text);
    }
}

static void print_rank(const struct pp_timeline *timeline, int rank, int64_t unit,
                       struct stretch stretch)
{
    const struct pp_schedule *schedule = timeline->schedule;
    int64_t now = 0;
    for (size_t k = schedule->first[rank]; k < schedule->first[rank + 1]; k++) {
        const struct pp_span *span = &timeline->spans[k];
        char buffer[PP_OP_TEXT];
        int64_t columns = (span->end - span->start) / unit;
        fill(&stretch, ".", (span->start - now) / unit);
        fill(&stretch, op_text(schedule, schedule->ops[k], buffer), columns > 0);
        fill(&stretch, "=", columns - 1);
        now = span->end;
    }
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

int64_t pp_report_grid_unit(const struct pp_timeline *timeline)
{
    int64_t unit = 0;
    for (size_t k = 0; k < pp_schedule_ops(timeline->schedule); k++)
        unit = common_divisor(common_divisor(timeline->spans[k].start, unit),
                              timeline->spans[k].end);
    return unit > 0 ? unit : 1;
}

/* How many columns the table has; fails where they are too many. */
static int count_columns(const struct pp_timeline *timeline, int64_t unit,
                         int64_t *columns, struct pp_error *error)
{
    enum { MOST_COLUMNS = 10000 };
    int64_t last = 0, shortest = INT64_MAX;
    for (size_t k = 0; k < pp_schedule_ops(timeline->schedule); k++) {
        const struct pp_span *span = &timeline->spans[k];
        int64_t took = span->end - span->start;
        last = span->end > last ? span->end : last;
        shortest = took > 0 && took < shortest ? took : shortest;
    }
    *columns = last / unit;
    /* A long schedule may be wide; costs without a common unit would need
     * columns shorter than any op. */
    if (unit<shortest && * columns> MOST_COLUMNS)
        return pp_fail(
            error, PP_BAD_INPUT,
            "the table would need %lld columns of %lld ns, more than %d: give costs "
            "that are multiples of a longer time",
            (long long)*columns, (long long)unit, MOST_COLUMNS);
    return 0;
}

int pp_report_print_grid(const struct pp_timeline *timeline,
                         const struct pp_grid_view *view, FILE *stream,
                         struct pp_error *error)
{
    const struct pp_schedule *schedule = timeline->schedule;
    int64_t unit = pp_report_grid_unit(timeline), columns;
    if (count_columns(timeline, unit, &columns, error) != 0)
        return -1;
    if (view->from > 0 && view->from >= columns)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--from' %d: the table's columns are 0 to %lld", view->from,
                       (long long)columns - 1);
    int digits = snprintf(NULL, 0, "%d", schedule->ranks - 1), width = widest(schedule);
    int room = (view->width - 5 - digits) / (width + 1);
    int64_t end = view->to >= 0 && view->to < columns ? view->to + 1 : columns;
    int64_t step = view->width == 0 ? columns : room > 1 ? room : 1;
    bool whole = view->from == 0 && end == columns && step >= columns;
    for (int64_t first = view->from; first < end || first == view->from;
         first += step > 0 ? step : 1) {
        int64_t behind = first + step < end ? first + step : end;
        if (!whole)
            fprintf(stream, "%scolumns %lld to %lld of 0 to %lld\n",
                    first > view->from ? "\n" : "", (long long)first,
                    (long long)behind - 1, (long long)columns - 1);
        for (int r = 0; r < schedule->ranks; r++) {
            fprintf(stream, "rank %*d", digits, r);
            print_rank(timeline, r, unit,
                       (struct stretch){stream, first, behind, 0, width});
            putc('\n', stream);
        }
    }
    return 0;
}
