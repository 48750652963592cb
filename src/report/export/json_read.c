/* Reading a report back, key by key as json_keys.c lists them. A file may come from
 * anywhere: everything in it is checked before it is used, and a timeline must be a
 * valid schedule. */
#include "report/export/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/words.h"
#include "report/export/json_read_keys.h"
#include "report/export/json_timeline.h"
#include "report/history.h"

/* What the readers below work on. */
struct reading {
    struct pp_reader reader;
    struct pp_report *report;
    struct pp_node root;
};

static const struct pp_json_key *report_key(size_t offset)
{
    return pp_json_key_at(pp_json_report, offset);
}

/* The object's member at the field's offset in the table's structure: for messages
 * about values that were read already. */
static struct pp_node member_at(const struct pp_node *object,
                                const struct pp_json_key *keys, size_t offset)
{
    return (struct pp_node){.parent = object,
                            .key = pp_json_key_at(keys, offset)->name};
}

/* The name of the report's object that holds the field, NULL if the report itself does.
 */
static const char *object_with(size_t offset)
{
    for (const struct pp_json_key *key = pp_json_report; key->name; key++) {
        const struct pp_json_key *member = key->keys;
        if (key->type != PP_JSON_OBJECT)
            continue;
        while (member->name && member->offset != offset)
            member++;
        if (member->name)
            return key->name;
    }
    return NULL;
}

static void check_schema(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    struct pp_node schema = {.parent = &in->root, .key = "schema"};
    char name[64];
    if (!json_is_object(in->root.value))
        pp_reader_fail(reader, &in->root,
                       "is not a ppsim report: it is no JSON object");
    pp_read_text(reader, &in->root, schema.key, name, sizeof name);
    if (strcmp(name, pp_json_schema_name) != 0)
        pp_reader_fail(
            reader, &schema, "is '%s', should be '%s'%s", name, pp_json_schema_name,
            strcmp(name, "ppsim.sweep/1") == 0
                ? ": a sweep is drawn by 'ppsim sweep', with its '--csv' and "
                  "'--plot'"
                : "");
}

/* How many stages the ranks list. */
static size_t count_stages(const struct pp_node *ranks, const char *stages)
{
    size_t count = 0;
    for (size_t r = 0; r < json_array_size(ranks->value); r++)
        count +=
            json_array_size(json_object_get(json_array_get(ranks->value, r), stages));
    return count;
}

/* Does the shape that config claims agree with the lists, so that no claim decides how
 * much memory is taken? */
static void check_shape(struct pp_reader *reader, const struct pp_schedule *shape,
                        const struct pp_node *config, const struct pp_node *ranks,
                        const char *stages)
{
    struct pp_node claimed =
        member_at(config, pp_json_shape, offsetof(struct pp_schedule, stages));
    size_t listed_ranks = json_array_size(ranks->value);
    size_t listed_stages = count_stages(ranks, stages);
    if (listed_ranks != (size_t)shape->ranks)
        pp_reader_fail(reader, ranks, "lists %zu ranks, 'config.ranks' says %d",
                       listed_ranks, shape->ranks);
    if (listed_stages != (size_t)shape->stages * (size_t)shape->copies)
        pp_reader_fail(reader, &claimed, "is %d, but the ranks list %zu", shape->stages,
                       listed_stages / (size_t)shape->copies);
}

/* The weight copy of the i-th stage that a rank holds. */
static int copy_at(struct pp_reader *reader, const struct pp_schedule *schedule,
                   const struct pp_node *rank, size_t i)
{
    if (schedule->copies == 1)
        return 0;
    struct pp_node list = pp_read_array(reader, rank, "copies");
    struct pp_node node = pp_read_element(reader, &list, i, JSON_INTEGER);
    return (int)pp_node_int(reader, &node, 0, schedule->copies - 1);
}

/* Which rank holds each stage of each copy. */
static void place_stages(struct pp_reader *reader, struct pp_schedule *schedule,
                         const struct pp_node *ranks, const char *stages)
{
    for (int r = 0; r < schedule->ranks && !reader->failed; r++) {
        struct pp_node rank = pp_read_element(reader, ranks, (size_t)r, JSON_OBJECT);
        struct pp_node list = pp_read_array(reader, &rank, stages);
        for (size_t i = 0; i < json_array_size(list.value); i++) {
            struct pp_node node = pp_read_element(reader, &list, i, JSON_INTEGER);
            int stage = (int)pp_node_int(reader, &node, 0, schedule->stages - 1);
            int copy = copy_at(reader, schedule, &rank, i);
            if (reader->failed)
                return;
            int *holder = &schedule->rank_of[pp_place(schedule, copy, stage)];
            if (*holder >= 0)
                pp_reader_fail(reader, &node,
                               "is stage %d, which rank %d holds already", stage,
                               *holder);
            *holder = r;
        }
    }
    if (!reader->failed)
        pp_schedule_place(schedule);
}

/* Sets up the schedule without ops: sizes from the configuration, stages from the
 * ranks. Room for ops grows as they are read, whatever the file claims. */
static void read_schedule(struct reading *in, const struct pp_node *ranks)
{
    struct pp_reader *reader = &in->reader;
    struct pp_schedule shape = {0}, *schedule = &in->report->schedule;
    const char *name = report_key(offsetof(struct pp_report, config))->name;
    struct pp_node config = pp_read_object(reader, &in->root, name);
    struct pp_node chunks =
        member_at(&config, pp_json_shape, offsetof(struct pp_schedule, chunks));
    const char *stages =
        pp_json_key_at(report_key(offsetof(struct pp_report, ranks))->keys,
                       offsetof(struct pp_json_rank, places))
            ->name;
    pp_json_read_keys(reader, &config, pp_json_shape, &shape);
    if (shape.copies == 0) /* of an older file */
        shape.copies = 1;
    check_shape(reader, &shape, &config, ranks, stages);
    if (reader->failed)
        return;
    in->report->config = pp_json_copy(config.value);
    if (!in->report->config) {
        pp_reader_out_of_memory(reader, &config);
        return;
    }
    if (pp_schedule_init(schedule, shape.ranks, shape.stages, 1, PP_CUSTOM,
                         reader->error) != 0 ||
        (shape.copies > 1 &&
         pp_schedule_copy_weights(schedule, shape.copies, (int[]){0}, reader->error) !=
             0)) {
        reader->failed = true;
        return;
    }
    schedule->microbatches = shape.microbatches;
    free(schedule->copy_of); /* known where there is a timeline */
    schedule->copy_of = NULL;
    strcpy(schedule->name, shape.name);
    place_stages(reader, schedule, ranks, stages);
    if (schedule->chunks != shape.chunks)
        pp_reader_fail(reader, &chunks, "is %d, but the ranks hold up to %d stages",
                       shape.chunks, schedule->chunks);
}

/* Do busy and idle time make up the step, and the causes the idle time? */
static void check_sums(struct pp_reader *reader, const struct pp_node *node,
                       const struct pp_json_key *keys,
                       const struct pp_rank_metrics *rank, int64_t makespan)
{
    struct pp_node idle =
        member_at(node, keys, offsetof(struct pp_json_rank, metrics.idle));
    int64_t causes = rank->causes.warmup + rank->causes.dependency +
                     rank->causes.communication + rank->causes.overhead +
                     rank->causes.cooldown;
    if (rank->busy + rank->idle != makespan)
        pp_reader_fail(reader, &idle, "and 'busy_s' do not add up to 'makespan_s'");
    else if (causes != rank->idle)
        pp_reader_fail(reader, &idle, "is not the sum of its causes");
}

static void read_rank(struct reading *in, const struct pp_node *ranks, int r)
{
    struct pp_reader *reader = &in->reader;
    const struct pp_json_key *keys =
        report_key(offsetof(struct pp_report, ranks))->keys;
    struct pp_metrics *metrics = &in->report->metrics;
    struct pp_json_rank read = {0};
    struct pp_rank_metrics *rank = &read.metrics;
    struct pp_node node = pp_read_element(reader, ranks, (size_t)r, JSON_OBJECT);
    struct pp_node number = member_at(&node, keys, offsetof(struct pp_json_rank, rank));
    pp_json_read_keys(reader, &node, keys, &read);
    if (read.rank != r)
        pp_reader_fail(reader, &number, "is %d, should be %d", read.rank, r);
    check_sums(reader, &node, keys, rank, metrics->makespan);
    rank->first_start = rank->causes.warmup;
    rank->last_end = metrics->makespan - rank->causes.cooldown;
    double chunks = read.known.peak_in_flight * in->report->schedule.chunks;
    if (chunks >= 0 && chunks <= INT32_MAX)
        rank->peak_in_flight = (int)lround(chunks);
    if (read.known.peak_activation_bytes == 0) /* how unknown was written before */
        read.known.peak_activation_bytes = (double)NAN;
    metrics->of_rank[r] = *rank;
    in->report->ranks[r] = read.known;
}

/* The bubble follows from the ranks' times. A file in which it does not was changed by
 * hand, or by damage: what of it is true cannot be known. */
static void check_bubble(struct reading *in)
{
    const double rounding = 1e-9; /* far above what a decimal number loses */
    const struct pp_bubble *read = &in->report->metrics.bubble;
    struct pp_bubble counted = pp_metrics_bubble(&in->report->metrics);
    const double claims[][2] = {{read->fraction, counted.fraction},
                                {read->over_ideal, counted.over_ideal},
                                {read->span_fraction, counted.span_fraction}};
    static const size_t offsets[] = {
        offsetof(struct pp_report, metrics.bubble.fraction),
        offsetof(struct pp_report, metrics.bubble.over_ideal),
        offsetof(struct pp_report, metrics.bubble.span_fraction)};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct pp_node object = {.parent = &in->root, .key = object_with(offsets[i])};
        struct pp_node claimed = member_at(&object, pp_json_report, offsets[i]);
        if (fabs(claims[i][0] - claims[i][1]) > rounding)
            pp_reader_fail(&in->reader, &claimed,
                           "is %.6g, but the ranks' times make it %.6g: the file is "
                           "damaged",
                           claims[i][0], claims[i][1]);
    }
}

static void read_ranks(struct reading *in, const struct pp_node *ranks)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report *report = in->report;
    struct pp_metrics *metrics = &report->metrics;
    if (reader->failed)
        return;
    metrics->ranks = report->schedule.ranks;
    metrics->end = metrics->makespan;
    metrics->of_rank = pp_json_allocate(reader, ranks, sizeof *metrics->of_rank);
    report->ranks = pp_json_allocate(reader, ranks, sizeof *report->ranks);
    for (int r = 0; r < metrics->ranks && !reader->failed; r++)
        read_rank(in, ranks, r);
    if (reader->failed)
        return;
    pp_metrics_sum(metrics);
    check_bubble(in);
}

/* Is there each stage, kind and class at most once? */
struct listed {
    const struct pp_cost *cost;
};

static int compare_costs(const void *left, const void *right)
{
    const struct pp_cost *a = ((const struct listed *)left)->cost;
    const struct pp_cost *b = ((const struct listed *)right)->cost;
    if (a->stage != b->stage)
        return a->stage < b->stage ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->of_class.rows != b->of_class.rows)
        return a->of_class.rows < b->of_class.rows ? -1 : 1;
    return strcmp(a->of_class.label, b->of_class.label);
}

static void refuse_repeated(struct pp_reader *reader, const struct pp_report *report,
                            const struct pp_node *list, struct listed *sorted)
{
    qsort(sorted, (size_t)report->cost_count, sizeof *sorted, compare_costs);
    for (int i = 1; i < report->cost_count; i++) {
        const struct pp_cost *a = sorted[i - 1].cost, *b = sorted[i].cost;
        const struct pp_cost *later = a > b ? a : b;
        struct pp_node node = {.parent = list,
                               .index = (size_t)(later - report->costs)};
        if (compare_costs(&sorted[i - 1], &sorted[i]) == 0)
            pp_reader_fail(reader, &node, "repeats stage %d and kind %c%s%s",
                           later->stage, pp_kind_letter(later->kind),
                           later->of_class.label[0] ? " of class " : "",
                           later->of_class.label);
    }
}

static void check_costs(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    const struct pp_report *report = in->report;
    const struct pp_json_key *key = report_key(offsetof(struct pp_report, costs));
    struct pp_node list = {.parent = &in->root, .key = key->name};
    if (reader->failed)
        return;
    struct listed *sorted = malloc(((size_t)report->cost_count + 1) * sizeof *sorted);
    if (!sorted) {
        pp_reader_out_of_memory(reader, &list);
        return;
    }
    for (int i = 0; i < report->cost_count && !reader->failed; i++) {
        struct pp_node node = {.parent = &list, .index = (size_t)i};
        struct pp_node stage =
            member_at(&node, key->keys, offsetof(struct pp_cost, stage));
        sorted[i].cost = &report->costs[i];
        if (sorted[i].cost->stage >= report->schedule.stages)
            pp_reader_fail(reader, &stage, "is %d, should be from 0 to %d",
                           sorted[i].cost->stage, report->schedule.stages - 1);
    }
    if (!reader->failed)
        refuse_repeated(reader, report, &list, sorted);
    free(sorted);
}

/* Finds the representative step among those that were read. */
static void read_representative(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report *report = in->report;
    struct pp_node node = member_at(&in->root, pp_json_report,
                                    offsetof(struct pp_report, representative));
    int64_t number = pp_read_int(reader, &in->root, node.key, INT32_MIN, INT32_MAX);
    report->representative = -1;
    for (int i = report->step_count - 1; i >= 0 && !reader->failed; i--) {
        if (report->steps[i].number == number)
            report->representative = i;
    }
    if (report->representative < 0)
        pp_reader_fail(reader, &node, "is %lld, which 'steps' does not list",
                       (long long)number);
    else
        report->makespans = pp_makespans(report->steps, report->step_count);
}

static void read_timeline(struct reading *in)
{
    const char *name = report_key(offsetof(struct pp_report, timeline))->name;
    const json_t *value = json_object_get(in->root.value, name);
    char *dropped = in->report->timeline_dropped;
    size_t size = sizeof in->report->timeline_dropped;
    if (in->reader.failed)
        return;
    if (!value || json_is_null(value)) {
        if (!dropped[0])
            pp_assign(dropped, size, "its file was written without");
        return;
    }
    dropped[0] = '\0';
    struct pp_node timeline = pp_read_object(&in->reader, &in->root, name);
    pp_json_read_timeline(&in->reader, &timeline, in->report);
}

/* What is no JSON may be another file of ppsim's: says so. */
static int refuse_csv(const char *path, struct pp_error *error)
{
    const char *ending = strrchr(path, '.');
    if (pp_history_is(path))
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' is a history, not a report: 'ppsim plot' draws it, and "
                       "'--baseline' holds a result against it; give a report, which "
                       "'--json' writes",
                       path);
    if (ending && strcmp(ending, ".csv") == 0 && access(path, R_OK) == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'%s' is CSV, not a report: give a report, which '--json' "
                       "writes",
                       path);
    return -1;
}

int pp_report_read_json(struct pp_report *report, const char *path,
                        struct pp_error *error)
{
    struct reading in = {.report = report};
    *report = (struct pp_report){.theory = NAN};
    if (pp_reader_load(&in.reader, path, &in.root, error) != 0)
        return refuse_csv(path, error);
    check_schema(&in);
    pp_json_read_keys(&in.reader, &in.root, pp_json_report, report);
    struct pp_node ranks = pp_read_array(
        &in.reader, &in.root, report_key(offsetof(struct pp_report, ranks))->name);
    read_schedule(&in, &ranks);
    read_ranks(&in, &ranks);
    check_costs(&in);
    read_representative(&in);
    read_timeline(&in);
    json_decref(in.root.value);
    if (in.reader.failed)
        pp_report_release(report);
    return in.reader.failed ? -1 : 0;
}
