#include "report/export/json_timeline.h"

#include <stdlib.h>
#include <string.h>

#include "report/export/json_keys.h"
#include "report/export/json_read_keys.h"
#include "report/export/text.h"
#include "schedule/cell.h"
#include "schedule/verify.h"

void pp_json_put_columns(FILE *stream)
{
    fputs("[\"op\"", stream);
    for (const struct pp_json_key *key = pp_json_span; key->name; key++)
        fprintf(stream, ", \"%s\"", key->name);
    fputc(']', stream);
}

/* The time in a span that a column shows. */
static int64_t *time_at(struct pp_span *span, const struct pp_json_key *column)
{
    return (int64_t *)(void *)((char *)span + column->offset);
}

static void put_op(struct pp_text *text, struct pp_op op, struct pp_span span,
                   int64_t start)
{
    char name[PP_OP_TEXT];
    pp_text_put(text, "[\"");
    pp_text_put(text, pp_op_text(op, name));
    pp_text_put(text, op.joined ? "+\"" : "\"");
    for (const struct pp_json_key *column = pp_json_span; column->name; column++) {
        pp_text_char(text, ',');
        pp_text_seconds(text, *time_at(&span, column) - start);
    }
    pp_text_char(text, ']');
}

void pp_json_put_ops(FILE *stream, const struct pp_report *report)
{
    const struct pp_schedule *schedule = &report->schedule;
    struct pp_text text;
    text.stream = stream;
    text.used = 0;
    pp_text_char(&text, '[');
    for (int r = 0; r < schedule->ranks; r++) {
        pp_text_put(&text, r > 0 ? ",\n  [" : "\n  [");
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            if (k > schedule->first[r])
                pp_text_put(&text, ",\n   ");
            put_op(&text, schedule->ops[k], report->timeline.spans[k],
                   report->metrics.start);
        }
        pp_text_char(&text, ']');
    }
    pp_text_char(&text, ']');
    pp_text_flush(&text);
}

/* "3F12", or "3F12+" for an op that overlaps with the next. */
static bool parse_op(const char *text, struct pp_op *op)
{
    struct pp_action_cell cells[2];
    const char *problem;
    size_t length = strlen(text);
    bool joined = length > 0 && text[length - 1] == '+';
    length -= joined;
    if (length == 0 || pp_cell_parse(text, length, cells, &problem) != 1 ||
        !pp_is_compute(cells[0].action))
        return false;
    *op = (struct pp_op){
        .stage = cells[0].stage,
        .kind = cells[0].action & 3,
        .microbatch = cells[0].microbatch & (PP_MAX_MICROBATCHES - 1),
        .joined = joined,
    };
    return true;
}

/* Reads the row of the op that comes next on the rank. */
static void read_op(struct pp_reader *reader, const struct pp_node *row,
                    struct pp_report *report, int rank)
{
    struct pp_schedule *schedule = &report->schedule;
    struct pp_node text = pp_read_element(reader, row, 0, JSON_STRING);
    struct pp_op op = {0};
    struct pp_span span = {0};
    if (text.value && !parse_op(json_string_value(text.value), &op))
        pp_reader_fail(reader, &text, "is '%.40s', should be an op such as 3F12",
                       json_string_value(text.value));
    for (size_t i = 0; pp_json_span[i].name; i++) {
        struct pp_node node = pp_read_element(reader, row, i + 1, JSON_REAL);
        *time_at(&span, &pp_json_span[i]) = pp_node_ns(reader, &node);
    }
    if (reader->failed)
        return;
    struct pp_span *spans = report->timeline.spans;
    size_t k = schedule->first[rank + 1];
    int64_t before = k == schedule->first[rank] ? 0 : spans[k - 1].end;
    if (span.end < span.start || span.arrived < span.ready || span.start < before ||
        span.end > report->metrics.makespan)
        pp_reader_fail(reader, row,
                       "has times out of order, or outside of the makespan");
    spans[k] = span;
    pp_push(schedule, op.kind, (int)op.stage, (int)op.microbatch);
    if (op.joined)
        pp_join(schedule);
}

/* Reads a number of each microbatch; the caller frees it. */
static int *read_numbers(struct pp_reader *reader, const struct pp_node *object,
                         const struct pp_schedule *schedule, size_t offset)
{
    const struct pp_json_key *key = pp_json_key_at(pp_json_decoding, offset);
    struct pp_node list = pp_read_array(reader, object, key->name);
    size_t count = json_array_size(list.value);
    if (count != (size_t)schedule->microbatches)
        pp_reader_fail(reader, &list,
                       "has %zu numbers, should have one for each of %d "
                       "microbatches",
                       count, schedule->microbatches);
    int *numbers = reader->failed ? NULL : malloc(count * sizeof *numbers);
    if (!reader->failed && !numbers)
        pp_reader_out_of_memory(reader, &list);
    for (size_t i = 0; numbers && i < count && !reader->failed; i++) {
        struct pp_node node = pp_read_element(reader, &list, i, JSON_INTEGER);
        numbers[i] = (int)pp_node_int(reader, &node, key->least, key->most);
    }
    return numbers;
}

/* Makes the schedule decode, as the object says. */
static void read_decoding(struct pp_reader *reader, const struct pp_node *object,
                          struct pp_report *report)
{
    struct pp_schedule *schedule = &report->schedule;
    struct pp_report read = {0};
    pp_json_read_keys(reader, object, pp_json_decoding, &read);
    int *after = read_numbers(reader, object, schedule,
                              offsetof(struct pp_report, schedule.after));
    int *group_of = read_numbers(reader, object, schedule,
                                 offsetof(struct pp_report, schedule.group_of));
    int *class_of = read_numbers(reader, object, schedule,
                                 offsetof(struct pp_report, schedule.class_of));
    const struct pp_decoding decoding = {
        .after = after,
        .group_of = group_of,
        .class_of = class_of,
        .classes = read.schedule.classes,
        .class_count = read.schedule.class_count,
    };
    if (!reader->failed && pp_schedule_decode(schedule, &decoding, reader->error) != 0)
        reader->failed = true;
    free(after);
    free(group_of);
    free(class_of);
    free(read.schedule.classes);
}

/* How many ops the lists hold; fails where there cannot be as many. */
static size_t count_ops(struct pp_reader *reader, const struct pp_node *lists,
                        const struct pp_schedule *schedule)
{
    size_t pairs = (size_t)schedule->stages * (size_t)schedule->microbatches;
    size_t count = 0, ranks = json_array_size(lists->value);
    if (!reader->failed && ranks != (size_t)schedule->ranks)
        pp_reader_fail(reader, lists, "has %zu ranks, should have %d", ranks,
                       schedule->ranks);
    for (size_t r = 0; r < ranks; r++)
        count += json_array_size(json_array_get(lists->value, r));
    size_t least = pp_decodes(schedule) ? pairs : 2 * pairs;
    size_t most = pp_decodes(schedule) ? pairs : 3 * pairs;
    if (!reader->failed && (count < least || count > most))
        pp_reader_fail(reader, lists,
                       "has %zu ops: %d stages and %d microbatches take %zu to %zu",
                       count, schedule->stages, schedule->microbatches, least, most);
    return count;
}

static void read_ops(struct pp_reader *reader, const struct pp_node *lists,
                     struct pp_report *report)
{
    struct pp_schedule *schedule = &report->schedule;
    struct pp_error problem = {0};
    for (int r = 0; r < schedule->ranks; r++) {
        struct pp_node list = pp_read_element(reader, lists, (size_t)r, JSON_ARRAY);
        pp_schedule_begin_rank(schedule, r);
        for (size_t k = 0; k < json_array_size(list.value) && !reader->failed; k++) {
            struct pp_node row = pp_read_element(reader, &list, k, JSON_ARRAY);
            read_op(reader, &row, report, r);
        }
    }
    if (reader->failed)
        return;
    if (pp_schedule_end(schedule, reader->error) != 0 ||
        (schedule->copies > 1 &&
         pp_schedule_find_copies(schedule, reader->error) != 0)) {
        reader->failed = true;
    } else if (pp_verify(schedule, schedule->name, &problem) != 0) {
        problem.text[strcspn(problem.text, "\n")] = '\0';
        if (problem.status == PP_ENVIRONMENT)
            pp_reader_out_of_memory(reader, lists);
        pp_reader_fail(reader, lists, "is not a valid schedule: %s", problem.text);
    }
}

void pp_json_read_timeline(struct pp_reader *reader, const struct pp_node *timeline,
                           struct pp_report *report)
{
    const struct pp_json_key *keys =
        pp_json_key_at(pp_json_report, offsetof(struct pp_report, timeline))->keys;
    const char *name =
        pp_json_key_at(keys, offsetof(struct pp_report, timeline.spans))->name;
    struct pp_node lists = pp_read_array(reader, timeline, name);
    const char *decoding = pp_json_object_of(keys, pp_json_decoding)->name;
    if (!reader->failed && json_object_get(timeline->value, decoding)) {
        struct pp_node object = pp_read_object(reader, timeline, decoding);
        read_decoding(reader, &object, report);
    }
    if (reader->failed)
        return;
    size_t count = count_ops(reader, &lists, &report->schedule);
    if (reader->failed)
        return;
    report->timeline = (struct pp_timeline){
        .schedule = &report->schedule,
        .spans = calloc(count, sizeof *report->timeline.spans),
    };
    if (report->timeline.spans)
        read_ops(reader, &lists, report);
    else
        pp_reader_out_of_memory(reader, &lists);
}
