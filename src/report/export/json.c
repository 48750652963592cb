/* Writing the report, key by key as json_keys.c lists them. By hand, not through a
 * tree: times are exact decimals of whole ns, and a timeline of a million ops needs no
 * memory. */
#include "report/export/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/output.h"
#include "base/words.h"
#include "report/export/json_keys.h"
#include "report/export/json_timeline.h"
#include "report/numbers.h"

struct writer {
    FILE *stream;
    const struct pp_report *report;
    int *places; /* [ranks][held], see pp_places_by_rank; owned */
    bool failed; /* out of memory */
};

static const void *field(const void *base, const struct pp_json_key *key)
{
    return (const char *)base + key->offset;
}

json_t *pp_json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *string = json_string(text);
    char *copy = string ? NULL : strdup(text);
    if (copy) { /* not UTF-8 */
        pp_make_printable(copy);
        string = json_string(copy);
        free(copy);
    }
    return string;
}

/* Takes over the value. */
static void put_json(struct writer *writer, json_t *value, size_t flags)
{
    char *text = value ? pp_json_dump(value, flags) : NULL;
    writer->failed |= !text;
    fputs(text ? text : "null", writer->stream);
    free(text);
    json_decref(value);
}

static void put_text(struct writer *writer, const char *text)
{
    put_json(writer, pp_json_text(text), JSON_ENCODE_ANY);
}

static void put_real(FILE *stream, double value)
{
    char text[PP_REAL_TEXT];
    fputs(isfinite(value) ? pp_real_text(value, text) : "null", stream);
}

static void put_time(FILE *stream, int64_t ns)
{
    char text[PP_DECIMAL_TEXT];
    fputs(pp_decimal_text(ns, 9, text), stream);
}

/* The caller's options, and the shape of what was built: an alias or a default becomes
 * what it stood for. */
static void put_config(struct writer *writer, const struct pp_json_key *shape)
{
    const struct pp_schedule *schedule = &writer->report->schedule;
    const json_t *options = writer->report->config;
    json_t *config = options ? pp_json_copy(options) : json_object();
    for (; shape->name; shape++) {
        const void *at = field(schedule, shape);
        if (shape->optional && *(const int *)at == shape->least)
            continue;
        json_t *value = shape->type == PP_JSON_TEXT ? json_string(at)
                                                    : json_integer(*(const int *)at);
        pp_json_set(&config, shape->name, value);
    }
    put_json(writer, config, JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
}

static void put_object(struct writer *writer, const struct pp_json_key *keys,
                       const void *base);

static void put_ranks(struct writer *writer, const struct pp_json_key *keys)
{
    const struct pp_report *report = writer->report;
    size_t held = (size_t)report->schedule.held;
    fputc('[', writer->stream);
    for (int r = 0; r < report->schedule.ranks; r++) {
        struct pp_json_rank rank = {
            .rank = r,
            .places = &writer->places[(size_t)r * held],
            .metrics = report->metrics.of_rank[r],
            .known = report->ranks[r],
        };
        fputs(r > 0 ? ",\n  " : "\n  ", writer->stream);
        put_object(writer, keys, &rank);
    }
    fputc(']', writer->stream);
}

/* Of each place its stage, or its copy. */
static void put_places(struct writer *writer, const int *places, bool copies)
{
    const struct pp_schedule *schedule = &writer->report->schedule;
    fputc('[', writer->stream);
    for (int c = 0; c < schedule->held && places[c] >= 0; c++)
        fprintf(writer->stream, "%s%d", c > 0 ? ", " : "",
                copies ? places[c] / schedule->stages : places[c] % schedule->stages);
    fputc(']', writer->stream);
}

static void put_list(struct writer *writer, const struct pp_json_key *key,
                     const void *base)
{
    int count = *(const int *)((const char *)base + key->count_offset);
    const char *elements = *(char *const *)field(base, key);
    fputc('[', writer->stream);
    for (int i = 0; i < count; i++) {
        const void *element = elements + (size_t)i * key->size;
        if (key->keys) {
            fputs(i > 0 ? ",\n  " : "\n  ", writer->stream);
            put_object(writer, key->keys, element);
        } else {
            fputs(i > 0 ? ", " : "", writer->stream);
            put_real(writer->stream, *(const double *)element);
        }
    }
    fputc(']', writer->stream);
}

static void put_numbers(struct writer *writer, const int *numbers)
{
    fputc('[', writer->stream);
    for (int i = 0; i < writer->report->schedule.microbatches; i++)
        fprintf(writer->stream, "%s%d", i > 0 ? "," : "", numbers[i]);
    fputc(']', writer->stream);
}

static void put_share(struct writer *writer, int64_t ns)
{
    const struct pp_metrics *metrics = &writer->report->metrics;
    put_real(writer->stream,
             (double)ns / ((double)metrics->ranks * (double)metrics->makespan));
}

/* Where C has no null. */
static bool is_unknown(const struct pp_report *report, const struct pp_json_key *key,
                       const void *at)
{
    if (key->type == PP_JSON_TREE)
        return !*(json_t *const *)at;
    if (key->type == PP_JSON_TIMELINE)
        return report->timeline_dropped[0] || !report->timeline.spans;
    if (!key->nullable)
        return false;
    return key->type == PP_JSON_TEXT ? *(const char *)at == '\0'
                                     : *(const int *)at == 0;
}

static void put_value(struct writer *writer, const struct pp_json_key *key,
                      const void *base)
{
    static const char *const answers[] = {"null", "false", "true"};
    const struct pp_report *report = writer->report;
    const void *at = field(base, key);
    FILE *stream = writer->stream;
    if (is_unknown(report, key, at)) {
        fputs("null", stream);
        return;
    }
    switch (key->type) {
    case PP_JSON_INTEGER:
        fprintf(stream, "%d", *(const int *)at);
        break;
    case PP_JSON_COUNT:
        fprintf(stream, "%lld", (long long)*(const int64_t *)at);
        break;
    case PP_JSON_TIME:
        put_time(stream, *(const int64_t *)at);
        break;
    case PP_JSON_REAL:
    case PP_JSON_DURATION:
    case PP_JSON_BANDWIDTH:
        put_real(stream, *(const double *)at);
        break;
    case PP_JSON_TEXT:
        put_text(writer, at);
        break;
    case PP_JSON_FLAG:
        fputs(answers[*(const bool *)at + 1], stream);
        break;
    case PP_JSON_ANSWER:
        fputs(answers[*(const int *)at + 1], stream);
        break;
    case PP_JSON_KIND:
        fprintf(stream, "\"%c\"", pp_kind_letter(*(const enum pp_kind *)at));
        break;
    case PP_JSON_OBJECT:
        put_object(writer, key->keys, base);
        break;
    case PP_JSON_LIST:
        put_list(writer, key, base);
        break;
    case PP_JSON_TREE:
        put_json(writer, json_incref(*(json_t *const *)at), JSON_ENCODE_ANY);
        break;
    case PP_JSON_NUMBERS:
        put_numbers(writer, *(const int *const *)at);
        break;
    case PP_JSON_SCHEMA:
        put_text(writer, pp_json_schema_name);
        break;
    case PP_JSON_CONFIG:
        put_config(writer, key->keys);
        break;
    case PP_JSON_RANKS:
        put_ranks(writer, key->keys);
        break;
    case PP_JSON_STAGES:
    case PP_JSON_COPIES:
        put_places(writer, *(const int *const *)at, key->type == PP_JSON_COPIES);
        break;
    case PP_JSON_SHARE:
        put_share(writer, *(const int64_t *)at);
        break;
    case PP_JSON_REPRESENTATIVE:
        fprintf(stream, "%d", report->steps[report->representative].number);
        break;
    case PP_JSON_TIMELINE:
        put_object(writer, key->keys, report);
        break;
    case PP_JSON_COLUMNS:
        pp_json_put_columns(stream);
        break;
    case PP_JSON_OPS:
        pp_json_put_ops(stream, report);
        break;
    }
}

/* The outermost object has a line for each key. */
static void put_object(struct writer *writer, const struct pp_json_key *keys,
                       const void *base)
{
    const char *between = keys == pp_json_report ? ",\n" : ", ";
    fputc('{', writer->stream);
    for (const struct pp_json_key *key = keys; key->name; key++) {
        bool absent = key->type == PP_JSON_OBJECT && key->optional &&
                      *(const int *)field(base, key) == 0;
        if (absent || pp_json_left_out(key, writer->report))
            continue;
        fprintf(writer->stream, "%s\"%s\": ", key > keys ? between : "", key->name);
        put_value(writer, key, base);
    }
    fputc('}', writer->stream);
}

int pp_report_write_json(const struct pp_report *report, const char *path,
                         struct pp_error *error)
{
    struct writer writer = {.report = report,
                            .places = pp_places_by_rank(&report->schedule)};
    struct pp_output output;
    if (!writer.places)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a report");
    int status = pp_output_open(&output, path, error);
    if (status == 0) {
        writer.stream = output.stream;
        put_object(&writer, pp_json_report, report);
        fputc('\n', output.stream);
        if (!writer.failed) {
            status = pp_output_commit(&output, error);
        } else {
            pp_output_abandon(&output);
            status = pp_fail(error, PP_ENVIRONMENT, "out of memory for a report");
        }
    }
    free(writer.places);
    return status;
}
