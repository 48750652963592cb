#include <string.h>

#include "base/output.h"
#include "report/export/export.h"
#include "report/export/text.h"
#include "report/numbers.h"
#include "timeline/producers.h"
#include "timeline/wait.h"

/* Messages to one rank overlap in time, slices of a thread must not: each message takes
 * the first free thread, and where none is free it has only its arrow. */
enum {
    OPS_THREAD = 1,
    FIRST_LANE = 2,
    MOST_LANES = 16,
    REDUCTIONS_THREAD = FIRST_LANE + MOST_LANES
};

struct trace {
    const struct pp_report *report;
    struct pp_text text;
    struct pp_producers producers;
    int64_t start;             /* of the step, ns */
    int64_t lane[MOST_LANES];  /* until when it is taken, ns */
    int lanes;                 /* that this rank has used */
    size_t last_f, first_back; /* of this rank: where its phases change */
    int in_flight;             /* chunks */
    size_t events;             /* written so far */
};

static inline void put(struct trace *trace, const char *string)
{
    pp_text_put(&trace->text, string);
}

static inline void put_number(struct trace *trace, const char *key, int64_t value)
{
    put(trace, key);
    pp_text_int(&trace->text, value);
}

/* Trace times are microseconds. */
static inline void put_time(struct trace *trace, const char *key, int64_t ns)
{
    put(trace, key);
    pp_text_decimal(&trace->text, ns, 3);
}

/* Begins an event: {"ph":"X","pid":1,"tid":1,"ts":0 */
static void begin(struct trace *trace, const char *phase, int rank, int thread,
                  int64_t ns)
{
    put(trace, trace->events++ > 0 ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    put(trace, phase);
    put_number(trace, "\",\"pid\":", rank + 1);
    put_number(trace, ",\"tid\":", thread);
    put_time(trace, ",\"ts\":", ns - trace->start);
}

static void put_name(struct trace *trace, struct pp_op op)
{
    put(trace, ",\"name\":\"");
    pp_text_char(&trace->text, pp_kind_letter(op.kind));
    pp_text_int(&trace->text, op.microbatch);
    put(trace, "\"");
}

/* Of a microbatch in decoding what it is; in training, where its op stands. */
static const char *phase_of(const struct trace *trace, size_t k)
{
    const struct pp_schedule *schedule = &trace->report->schedule;
    if (pp_decodes(schedule))
        return pp_class_of(schedule, schedule->ops[k].microbatch)->label;
    if (k < trace->first_back)
        return "warm-up";
    return k > trace->last_f ? "cool-down" : "steady";
}

/* The wait before an op, and its largest cause. */
static void put_wait(struct trace *trace, int rank, size_t k)
{
    const struct pp_report *report = trace->report;
    int64_t start = report->timeline.spans[k].start;
    bool first = k == report->schedule.first[rank];
    int64_t from = first ? trace->start : report->timeline.spans[k - 1].end;
    if (start <= from)
        return;
    struct pp_wait wait = pp_wait_before(&report->timeline, k, from);
    const char *cause = first ? "warmup" : "dependency";
    if (!first && wait.communication > wait.dependency &&
        wait.communication >= wait.overhead)
        cause = "communication";
    else if (!first && wait.overhead > wait.dependency)
        cause = "overhead";
    put_time(trace, ",\"wait_us\":", start - from);
    put(trace, ",\"wait\":\"");
    put(trace, cause);
    put(trace, "\"");
}

static void put_op(struct trace *trace, int rank, size_t k)
{
    const struct pp_report *report = trace->report;
    const struct pp_span *span = &report->timeline.spans[k];
    struct pp_op op = report->schedule.ops[k];
    begin(trace, "X", rank, OPS_THREAD, span->start);
    put_time(trace, ",\"dur\":", span->end - span->start);
    put_name(trace, op);
    put(trace, ",\"cat\":\"");
    pp_text_char(&trace->text, pp_kind_letter(op.kind));
    put_number(trace, "\",\"args\":{\"stage\":", op.stage);
    put_number(trace, ",\"microbatch\":", op.microbatch);
    if (pp_decodes(&report->schedule))
        put_number(trace, ",\"group\":", report->schedule.group_of[op.microbatch]);
    put(trace, ",\"phase\":\"");
    put(trace, phase_of(trace, k));
    put(trace, "\"");
    put_wait(trace, rank, k);
    put(trace, "}}");
}

static void put_message_slice(struct trace *trace, int rank, struct pp_op sent,
                              int64_t from, int64_t to, int sender)
{
    int lane = 0;
    while (lane < MOST_LANES && trace->lane[lane] > from)
        lane++;
    if (lane == MOST_LANES || to <= from)
        return;
    trace->lane[lane] = to;
    if (lane >= trace->lanes)
        trace->lanes = lane + 1;
    begin(trace, "X", rank, FIRST_LANE + lane, from);
    put_time(trace, ",\"dur\":", to - from);
    put_name(trace, sent);
    put_number(trace, ",\"cat\":\"message\",\"args\":{\"from_rank\":", sender);
    put(trace, "}}");
}

/* Arrows bind to the slice that is open at their time, so they leave 1 ns before their
 * op's end. */
static void put_message(struct trace *trace, int rank, size_t k)
{
    const struct pp_schedule *schedule = &trace->report->schedule;
    const struct pp_span *spans = trace->report->timeline.spans;
    int64_t producer = pp_producer_of(&trace->producers, (int64_t)k);
    if (producer == PP_NO_OP)
        return;
    int sender = pp_rank_of_op(schedule, producer);
    const struct pp_span *from = &spans[pp_release_of(schedule, producer)];
    if (sender == rank)
        return;
    put_message_slice(trace, rank, schedule->ops[producer], from->end, spans[k].arrived,
                      sender);
    begin(trace, "s", sender, OPS_THREAD,
          from->end > from->start ? from->end - 1 : from->end);
    put_number(trace, ",\"name\":\"hop\",\"cat\":\"hop\",\"id\":", (int64_t)k + 1);
    put(trace, "}");
    begin(trace, "f", rank, OPS_THREAD, spans[k].start);
    put_number(trace, ",\"name\":\"hop\",\"cat\":\"hop\",\"bp\":\"e\",\"id\":",
               (int64_t)k + 1);
    put(trace, "}");
}

static void put_in_flight(struct trace *trace, int rank, int64_t time, int by)
{
    const struct pp_schedule *schedule = &trace->report->schedule;
    char text[PP_REAL_TEXT];
    if (by == 0)
        return;
    trace->in_flight += by;
    begin(trace, "C", rank, OPS_THREAD, time);
    put(trace, ",\"name\":\"in flight\",\"args\":{\"microbatches\":");
    if (trace->in_flight % schedule->chunks == 0)
        pp_text_int(&trace->text, trace->in_flight / schedule->chunks);
    else
        put(trace, pp_real_text((double)trace->in_flight / schedule->chunks, text));
    put(trace, "}}");
}

/* Names a process (thread 0) or a thread, and says where it is shown. */
static void put_label(struct trace *trace, int rank, int thread, const char *name,
                      int number)
{
    const char *kind = thread == 0 ? "process" : "thread";
    begin(trace, "M", rank, thread, trace->start);
    put(trace, ",\"name\":\"");
    put(trace, kind);
    put(trace, "_name\",\"args\":{\"name\":\"");
    put(trace, name);
    if (number >= 0)
        put_number(trace, " ", number);
    put(trace, "\"}}");
    begin(trace, "M", rank, thread, trace->start);
    put(trace, ",\"name\":\"");
    put(trace, kind);
    put_number(trace,
               "_sort_index\",\"args\":{\"sort_index\":", thread == 0 ? rank : thread);
    put(trace, "}}");
}

/* R of the rank's stages, on a thread of its own. */
static void put_reductions(struct trace *trace, int rank)
{
    const struct pp_report *report = trace->report;
    const struct pp_schedule *schedule = &report->schedule;
    bool any = false;
    for (int at = 0;
         report->timeline.reductions && at < schedule->copies * schedule->stages;
         at++) {
        const struct pp_span *span = &report->timeline.reductions[at];
        if (schedule->rank_of[at] != rank || span->end == span->start)
            continue;
        any = true;
        begin(trace, "X", rank, REDUCTIONS_THREAD, span->start);
        put_time(trace, ",\"dur\":", span->end - span->start);
        put_number(trace, ",\"name\":\"R\",\"cat\":\"R\",\"args\":{\"stage\":",
                   at % schedule->stages);
        put_number(trace, ",\"copy\":", at / schedule->stages);
        put(trace, "}}");
    }
    if (any)
        put_label(trace, rank, REDUCTIONS_THREAD, "reductions", -1);
}

static void put_rank(struct trace *trace, int rank)
{
    const struct pp_schedule *schedule = &trace->report->schedule;
    const struct pp_span *spans = trace->report->timeline.spans;
    size_t begins = schedule->first[rank], ends = schedule->first[rank + 1];
    trace->lanes = trace->in_flight = 0;
    trace->last_f = trace->first_back = ends;
    for (size_t k = begins; k < ends; k++) {
        if (schedule->ops[k].kind == PP_F)
            trace->last_f = k;
        else if (trace->first_back == ends)
            trace->first_back = k;
    }
    for (int lane = 0; lane < MOST_LANES; lane++)
        trace->lane[lane] = INT64_MIN;

    put_label(trace, rank, 0, "rank", rank);
    put_label(trace, rank, OPS_THREAD, "compute", -1);
    for (size_t k = begins; k < ends; k++) {
        struct pp_in_flight by = pp_in_flight(schedule, schedule->ops[k].kind);
        put_op(trace, rank, k);
        put_message(trace, rank, k);
        put_in_flight(trace, rank, spans[k].start, by.from_start);
        put_in_flight(trace, rank, spans[k].end, by.at_end);
    }
    for (int lane = 0; lane < trace->lanes; lane++)
        put_label(trace, rank, FIRST_LANE + lane, "messages", -1);
    put_reductions(trace, rank);
}

int pp_report_write_trace(const struct pp_report *report, const char *path,
                          struct pp_error *error)
{
    struct trace trace = {.report = report, .start = report->metrics.start};
    struct pp_output output;
    int result = -1;
    if (pp_report_need_timeline(report, error) != 0 ||
        pp_producers_init(&trace.producers, &report->schedule, error) != 0)
        return -1;
    if (pp_output_open(&output, path, error) == 0) {
        trace.text.stream = output.stream;
        put(&trace, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
        for (int r = 0; r < report->schedule.ranks; r++)
            put_rank(&trace, r);
        put(&trace, "\n]}\n");
        pp_text_flush(&trace.text);
        result = pp_output_commit(&output, error);
    }
    pp_producers_release(&trace.producers);
    return result;
}
