#include "generate/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"

void pp_record_init(struct pp_record *record, int ranks)
{
    *record = (struct pp_record){.ranks = ranks};
}

void pp_record_release(struct pp_record *record)
{
    free(record->batches);
    free(record->spans);
    *record = (struct pp_record){0};
}

static bool grow(struct pp_record *record)
{
    enum { FIRST = 256 };
    size_t capacity = record->capacity > 0 ? 2 * (size_t)record->capacity : FIRST;
    size_t spans = capacity * (size_t)record->ranks;
    if (capacity >= PP_MAX_MICROBATCHES)
        return false;
    void *batches = realloc(record->batches, capacity * sizeof *record->batches);
    if (batches)
        record->batches = batches;
    void *all = realloc(record->spans, spans * sizeof *record->spans);
    if (all)
        record->spans = all;
    if (batches && all)
        record->capacity = (int)capacity;
    return batches && all;
}

void pp_record_add(struct pp_record *record, const struct pp_batch_trace *trace)
{
    if (record->full)
        return;
    if (record->count == record->capacity && !grow(record)) {
        record->full = true;
        return;
    }
    size_t ranks = (size_t)record->ranks, at = (size_t)record->count++;
    record->batches[at] = (struct pp_recorded){
        .prefill = trace->prefill,
        .group = trace->group,
        .rows = trace->rows,
        .after = trace->after,
    };
    memcpy(record->spans + at * ranks, trace->spans, ranks * sizeof *record->spans);
}

/* The first batch of the decode-only window. */
static int window(const struct pp_record *record)
{
    int first = record->count;
    while (first > 0 && !record->batches[first - 1].prefill)
        first--;
    return first;
}

int pp_record_decoding(const struct pp_record *record)
{
    return record->count - window(record);
}

/* --- the schedule ------------------------------------------------------------------
 */

/* What each microbatch is; arrays of a count. */
struct parts {
    int *after, *group_of, *class_of; /* [count] in one piece of memory */
    struct pp_class *classes;         /* [class_count], room for count */
    int class_count;
};

static int class_of(struct parts *parts, const struct pp_recorded *batch)
{
    struct pp_class wanted = {.rows = batch->rows};
    int c = 0;
    pp_assign(wanted.label, sizeof wanted.label, "%s",
              batch->prefill ? pp_prefill : pp_decode);
    while (c < parts->class_count &&
           (parts->classes[c].rows != wanted.rows ||
            strcmp(parts->classes[c].label, wanted.label) != 0))
        c++;
    if (c == parts->class_count)
        parts->classes[parts->class_count++] = wanted;
    return c;
}

static int decode(struct pp_schedule *schedule, const struct pp_record *record,
                  int first, struct pp_error *error)
{
    size_t count = (size_t)(record->count - first);
    int *numbers = malloc((3 * count + 1) * sizeof *numbers);
    struct parts parts = {
        .after = numbers,
        .classes = malloc((count + 1) * sizeof *parts.classes),
    };
    int status = -1;
    if (!numbers || !parts.classes) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu batches", count);
        goto done;
    }
    parts.group_of = parts.after + count;
    parts.class_of = parts.group_of + count;
    for (size_t i = 0; i < count; i++) {
        const struct pp_recorded *batch = &record->batches[(size_t)first + i];
        int64_t after = batch->after - first;
        parts.after[i] = after >= 0 ? (int)after : -1;
        parts.group_of[i] = batch->group;
        parts.class_of[i] = class_of(&parts, batch);
    }
    const struct pp_decoding decoding = {
        .after = parts.after,
        .group_of = parts.group_of,
        .class_of = parts.class_of,
        .classes = parts.classes,
        .class_count = parts.class_count,
    };
    status = pp_schedule_decode(schedule, &decoding, error);
done:
    free(numbers);
    free(parts.classes);
    return status;
}

static int write_ops(struct pp_schedule *schedule, struct pp_error *error)
{
    for (int r = 0; r < schedule->ranks; r++) {
        pp_schedule_begin_rank(schedule, r);
        for (int i = 0; i < schedule->microbatches; i++)
            pp_push(schedule, PP_F, r, i);
    }
    return pp_schedule_end(schedule, error);
}

int pp_record_timeline(const struct pp_record *record, bool decoding,
                       struct pp_schedule *schedule, struct pp_timeline *timeline,
                       struct pp_error *error)
{
    int first = decoding ? window(record) : 0, count = record->count - first;
    size_t ranks = (size_t)record->ranks;
    *schedule = (struct pp_schedule){0};
    *timeline = (struct pp_timeline){0};
    if (pp_schedule_init(schedule, record->ranks, record->ranks, count, PP_LOOP,
                         error) != 0 ||
        decode(schedule, record, first, error) != 0 || write_ops(schedule, error) != 0)
        return -1;
    pp_assign(schedule->name, sizeof schedule->name, "decode");
    if (pp_timeline_init(timeline, schedule, error) != 0)
        return -1;
    for (size_t r = 0; r < ranks; r++) {
        for (size_t i = 0; i < (size_t)count; i++)
            timeline->spans[schedule->first[r] + i] =
                record->spans[((size_t)first + i) * ranks + r];
    }
    return 0;
}
