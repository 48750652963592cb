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

static void fill(FILE *stream, const char *text, int64_t slots, int width)
{
    for (; slots > 0; slots--)
        fprintf(stream, " %*s", width, text);
}

static void print_rank(const struct pp_timeline *timeline, int rank, int width,
                       int64_t unit, FILE *stream)
{
    const struct pp_schedule *schedule = timeline->schedule;
    int64_t now = 0;
    for (size_t k = schedule->first[rank]; k < schedule->first[rank + 1]; k++) {
        const struct pp_span *span = &timeline->spans[k];
        char buffer[PP_OP_TEXT];
        int64_t columns = (span->end - span->start) / unit;
        fill(stream, ".", (span->start - now) / unit, width);
        fill(stream, op_text(schedule, schedule->ops[k], buffer), columns > 0, width);
        fill(stream, "=", columns - 1, width);
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

int pp_report_print_grid(const struct pp_timeline *timeline, FILE *stream,
                         struct pp_error *error)
{
    enum { MOST_COLUMNS = 10000 };
    const struct pp_schedule *schedule = timeline->schedule;
    int64_t unit = pp_report_grid_unit(timeline), last = 0, shortest = INT64_MAX;
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++) {
        const struct pp_span *span = &timeline->spans[k];
        int64_t took = span->end - span->start;
        last = span->end > last ? span->end : last;
        shortest = took > 0 && took < shortest ? took : shortest;
    }
    /* A long schedule may be wide; costs without a common unit would need
     * columns shorter than any op. */
    if (unit < shortest && last / unit > MOST_COLUMNS)
        return pp_fail(
            error, PP_BAD_INPUT,
            "the table would need %lld columns, at most %d fit: give costs that are "
            "multiples of a longer time",
            (long long)(last / unit), MOST_COLUMNS);
    int width = widest(schedule);
    int digits = snprintf(NULL, 0, "%d", schedule->ranks - 1);
    for (int r = 0; r < schedule->ranks; r++) {
        fprintf(stream, "rank %*d", digits, r);
        print_rank(timeline, r, width, unit, stream);
        putc('\n', stream);
    }
    return 0;
}
