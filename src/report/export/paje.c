#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "report/export/export.h"
#include "report/export/text.h"
#include "report/numbers.h"
#include "report/palette.h"
#include "timeline/producers.h"

/* The events used, and their fields: the file declares its own format. */
enum event {
    DEFINE_CONTAINER,
    DEFINE_STATE,
    DEFINE_LINK,
    DEFINE_VARIABLE,
    DEFINE_VALUE,
    CREATE,
    DESTROY,
    SET_STATE,
    SET_VARIABLE,
    START_LINK,
    END_LINK
};

static const char header[] =
    "%EventDef PajeDefineContainerType 0\n"
    "% Alias string\n% Type string\n% Name string\n%EndEventDef\n"
    "%EventDef PajeDefineStateType 1\n"
    "% Alias string\n% Type string\n% Name string\n%EndEventDef\n"
    "%EventDef PajeDefineLinkType 2\n"
    "% Alias string\n% Type string\n% StartContainerType string\n"
    "% EndContainerType string\n% Name string\n%EndEventDef\n"
    "%EventDef PajeDefineVariableType 3\n"
    "% Alias string\n% Type string\n% Name string\n% Color color\n%EndEventDef\n"
    "%EventDef PajeDefineEntityValue 4\n"
    "% Alias string\n% Type string\n% Name string\n% Color color\n%EndEventDef\n"
    "%EventDef PajeCreateContainer 5\n"
    "% Time date\n% Alias string\n% Type string\n% Container string\n% Name string\n"
    "%EndEventDef\n"
    "%EventDef PajeDestroyContainer 6\n"
    "% Time date\n% Type string\n% Name string\n%EndEventDef\n"
    "%EventDef PajeSetState 7\n"
    "% Time date\n% Type string\n% Container string\n% Value string\n"
    "% Stage int\n% Microbatch int\n%EndEventDef\n"
    "%EventDef PajeSetVariable 8\n"
    "% Time date\n% Type string\n% Container string\n% Value double\n%EndEventDef\n"
    "%EventDef PajeStartLink 9\n"
    "% Time date\n% Type string\n% Container string\n% Value string\n"
    "% StartContainer string\n% Key string\n%EndEventDef\n"
    "%EventDef PajeEndLink 10\n"
    "% Time date\n% Type string\n% Container string\n% Value string\n"
    "% EndContainer string\n% Key string\n%EndEventDef\n";

/* One event, to be written in the order of time, as Pajé requires. */
struct line {
    int64_t time;
    size_t k;         /* the op it belongs to */
    enum event event; /* SET_STATE: the op's begin; DESTROY: its end; links and the
                       * variable as they are called */
    bool idle;        /* of a DESTROY: the rank has nothing to do afterwards */
};

/* At the same time, ends come before begins. */
static int compare_lines(const void *left, const void *right)
{
    const struct line *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    if (a->event != b->event)
        return a->event < b->event ? -1 : 1;
    return a->k < b->k ? -1 : a->k > b->k;
}

struct paje {
    const struct pp_report *report;
    struct pp_text text;
    struct pp_producers producers;
    struct line *lines;
    size_t count;
    int *in_flight; /* [ranks] chunks */
};

static void add(struct paje *paje, int64_t time, size_t k, enum event event, bool idle)
{
    paje->lines[paje->count++] =
        (struct line){time - paje->report->metrics.start, k, event, idle};
}

static void collect(struct paje *paje)
{
    const struct pp_schedule *schedule = &paje->report->schedule;
    const struct pp_span *spans = paje->report->timeline.spans;
    for (int r = 0; r < schedule->ranks; r++) {
        size_t end = schedule->first[r + 1];
        for (size_t k = schedule->first[r]; k < end; k++) {
            int64_t producer = pp_producer_of(&paje->producers, (int64_t)k);
            bool last = k + 1 == end || spans[k + 1].start > spans[k].end;
            add(paje, spans[k].start, k, SET_STATE, false);
            add(paje, spans[k].end, k, DESTROY, last);
            if (producer == PP_NO_OP || pp_rank_of_op(schedule, producer) == r)
                continue;
            add(paje, spans[pp_release_of(schedule, producer)].end, k, START_LINK,
                false);
            add(paje, spans[k].arrived, k, END_LINK, false);
        }
    }
    qsort(paje->lines, paje->count, sizeof *paje->lines, compare_lines);
}

/* "0.34 0.71 0.91", the way Pajé writes a colour. */
static void put_colour(struct paje *paje, int rgb)
{
    char text[48];
    snprintf(text, sizeof text, "\"%.2g %.2g %.2g\"", (rgb >> 16) / 255.0,
             (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0);
    pp_text_put(&paje->text, text);
}

/* Declares a value that a type may take. */
static void put_value(struct paje *paje, const char *type, const char *alias,
                      const char *name, int rgb)
{
    const char *const pieces[] = {"4 ", alias, " ", type, " \"", name, "\" "};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        pp_text_put(&paje->text, pieces[i]);
    put_colour(paje, rgb);
    pp_text_char(&paje->text, '\n');
}

/* The types, their values with colours, and the program. */
static void put_types(struct paje *paje)
{
    pp_text_put(&paje->text,
                "0 Program 0 Program\n0 Rank Program Rank\n1 state Rank Op\n"
                "2 message Program Rank Rank Message\n"
                "3 in_flight Rank \"microbatches in flight\" ");
    put_colour(paje, PP_COLOUR_IN_FLIGHT);
    pp_text_char(&paje->text, '\n');
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        const char alias[] = {pp_kind_letter(kind), '\0'};
        put_value(paje, "state", alias, pp_kind_name(kind), pp_palette[kind].rgb[0]);
    }
    put_value(paje, "state", "idle", "idle", PP_COLOUR_BUBBLE);
    put_value(paje, "message", "F", pp_kind_name(PP_F), pp_palette[PP_F].rgb[0]);
    put_value(paje, "message", "B", pp_kind_name(PP_B), pp_palette[PP_B].rgb[0]);
    pp_text_put(&paje->text, "5 0 program Program 0 ppsim\n");
}

/* "7 0.0015 " */
static void begin(struct paje *paje, enum event event, int64_t time)
{
    pp_text_int(&paje->text, event);
    pp_text_char(&paje->text, ' ');
    pp_text_seconds(&paje->text, time);
}

static void put_rank(struct paje *paje, const char *before, int rank)
{
    pp_text_put(&paje->text, before);
    pp_text_int(&paje->text, rank);
}

static void put_state(struct paje *paje, const struct line *line, int rank)
{
    struct pp_op op = paje->report->schedule.ops[line->k];
    begin(paje, SET_STATE, line->time);
    put_rank(paje, " state rank", rank);
    pp_text_char(&paje->text, ' ');
    pp_text_char(&paje->text, pp_kind_letter(op.kind));
    pp_text_char(&paje->text, ' ');
    pp_text_int(&paje->text, op.stage);
    pp_text_char(&paje->text, ' ');
    pp_text_int(&paje->text, op.microbatch);
    pp_text_char(&paje->text, '\n');
}

static void put_link(struct paje *paje, const struct line *line, int rank)
{
    bool forward = paje->report->schedule.ops[line->k].kind == PP_F;
    begin(paje, line->event, line->time);
    put_rank(paje, forward ? " message program F rank" : " message program B rank",
             rank);
    pp_text_char(&paje->text, ' ');
    pp_text_int(&paje->text, (int64_t)line->k + 1);
    pp_text_char(&paje->text, '\n');
}

static void put_in_flight(struct paje *paje, const struct line *line, int rank, int by)
{
    char text[PP_REAL_TEXT];
    paje->in_flight[rank] += by;
    begin(paje, SET_VARIABLE, line->time);
    put_rank(paje, " in_flight rank", rank);
    pp_text_char(&paje->text, ' ');
    pp_text_put(&paje->text, pp_real_text((double)paje->in_flight[rank] /
                                              paje->report->schedule.chunks,
                                          text));
    pp_text_char(&paje->text, '\n');
}

static void put_line(struct paje *paje, const struct line *line)
{
    const struct pp_schedule *schedule = &paje->report->schedule;
    int rank = pp_rank_of_op(schedule, (int64_t)line->k);
    struct pp_in_flight by = pp_in_flight(schedule, schedule->ops[line->k].kind);
    switch (line->event) {
    case SET_STATE:
        put_state(paje, line, rank);
        if (by.from_start)
            put_in_flight(paje, line, rank, by.from_start);
        break;
    case DESTROY:
        if (line->idle) {
            begin(paje, SET_STATE, line->time);
            put_rank(paje, " state rank", rank);
            pp_text_put(&paje->text, " idle -1 -1\n");
        }
        if (by.at_end)
            put_in_flight(paje, line, rank, by.at_end);
        break;
    case START_LINK:
        put_link(paje, line,
                 pp_rank_of_op(schedule,
                               pp_producer_of(&paje->producers, (int64_t)line->k)));
        break;
    default:
        put_link(paje, line, rank);
        break;
    }
}

static void put_file(struct paje *paje)
{
    int ranks = paje->report->schedule.ranks;
    pp_text_put(&paje->text, header);
    put_types(paje);
    for (int r = 0; r < ranks; r++) {
        put_rank(paje, "5 0 rank", r);
        put_rank(paje, " Rank program \"rank ", r);
        put_rank(paje, "\"\n7 0 state rank", r);
        put_rank(paje, " idle -1 -1\n8 0 in_flight rank", r);
        pp_text_put(&paje->text, " 0\n");
    }
    for (size_t i = 0; i < paje->count; i++)
        put_line(paje, &paje->lines[i]);
    for (int r = 0; r < ranks; r++) {
        begin(paje, DESTROY, paje->report->metrics.makespan);
        put_rank(paje, " Rank rank", r);
        pp_text_char(&paje->text, '\n');
    }
    begin(paje, DESTROY, paje->report->metrics.makespan);
    pp_text_put(&paje->text, " Program program\n");
    pp_text_flush(&paje->text);
}

int pp_report_write_paje(const struct pp_report *report, const char *path,
                         struct pp_error *error)
{
    struct paje paje = {.report = report};
    struct pp_output output;
    size_t ops = pp_schedule_ops(&report->schedule);
    int result = -1;
    if (pp_report_need_timeline(report, error) != 0 ||
        pp_producers_init(&paje.producers, &report->schedule, error) != 0)
        return -1;
    paje.lines = malloc((4 * ops + 1) * sizeof *paje.lines);
    paje.in_flight = calloc((size_t)report->schedule.ranks, sizeof *paje.in_flight);
    if (!paje.lines || !paje.in_flight) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a trace of %zu ops", ops);
        goto done;
    }
    if (pp_output_open(&output, path, error) != 0)
        goto done;
    collect(&paje);
    paje.text.stream = output.stream;
    put_file(&paje);
    result = pp_output_commit(&output, error);
done:
    pp_producers_release(&paje.producers);
    free(paje.lines);
    free(paje.in_flight);
    return result;
}
