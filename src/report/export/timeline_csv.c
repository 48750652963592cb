#include "base/output.h"
#include "report/export/export.h"
#include "report/export/text.h"

static void put_op(struct pp_text *text, const struct pp_report *report, int step,
                   int rank, size_t k)
{
    const struct pp_schedule *schedule = &report->schedule;
    const struct pp_span *span = &report->timeline.spans[k];
    struct pp_op op = schedule->ops[k];
    const int64_t before[] = {step, rank, op.stage,
                              schedule->chunk_of[pp_op_place(schedule, op)]};
    for (int i = 0; i < 4; i++) {
        pp_text_int(text, before[i]);
        pp_text_char(text, ',');
    }
    pp_text_char(text, pp_kind_letter(op.kind));
    pp_text_char(text, ',');
    pp_text_int(text, op.microbatch);
    pp_text_char(text, ',');
    pp_text_seconds(text, span->start - report->metrics.start);
    pp_text_char(text, ',');
    pp_text_seconds(text, span->end - report->metrics.start);
    pp_text_char(text, '\n');
}

int pp_report_write_csv(const struct pp_report *report, const char *path,
                        struct pp_error *error)
{
    const struct pp_schedule *schedule = &report->schedule;
    struct pp_output output;
    if (pp_report_need_timeline(report, error) != 0 ||
        pp_output_open(&output, path, error) != 0)
        return -1;
    struct pp_text text;
    text.stream = output.stream;
    text.used = 0;
    int step = report->steps[report->representative].number;
    pp_text_put(&text, "step,rank,stage,chunk,kind,microbatch,start_s,end_s\n");
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++)
            put_op(&text, report, step, r, k);
    }
    pp_text_flush(&text);
    return pp_output_commit(&output, error);
}
