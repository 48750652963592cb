#include "report/grid.h"

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
                       FILE *stream)
{
    const struct pp_schedule *schedule = timeline->schedule;
    int64_t now = 0;
    for (size_t k = schedule->first[rank]; k < schedule->first[rank + 1]; k++) {
        const struct pp_span *span = &timeline->spans[k];
        char buffer[PP_OP_TEXT];
        fill(stream, ".", span->start - now, width);
        fill(stream, op_text(schedule, schedule->ops[k], buffer), 1, width);
        fill(stream, "=", span->end - span->start - 1, width);
        now = span->end;
    }
}

void pp_report_print_grid(const struct pp_timeline *timeline, FILE *stream)
{
    const struct pp_schedule *schedule = timeline->schedule;
    int width = widest(schedule);
    int digits = snprintf(NULL, 0, "%d", schedule->ranks - 1);
    for (int r = 0; r < schedule->ranks; r++) {
        fprintf(stream, "rank %*d", digits, r);
        print_rank(timeline, r, width, stream);
        putc('\n', stream);
    }
}
