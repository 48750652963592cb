/* Reading a report back. A file may come from anywhere: nothing in it is believed
 * before it has been checked, and a timeline passes the judge of all schedules. */
#include "report/export/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/export/json_reader.h"
#include "schedule/verify.h"

enum { MOST_COUNT = 1 << 30 };

/* What all readers below work on. */
struct reading {
    struct pp_reader reader;
    struct pp_report *report;
    struct pp_node root;
};

static void out_of_memory(struct reading *in, const struct pp_node *list)
{
    in->reader.failed = true;
    pp_fail(in->reader.error, PP_ENVIRONMENT, "out of memory for '%s' of '%s'",
            list->key, in->reader.path);
}

/* A zeroed array of the report, one element per element of the list. */
static void *allocate(struct reading *in, const struct pp_node *list, size_t size)
{
    size_t count = json_array_size(list->value);
    void *memory = calloc(count + 1, size);
    if (!memory && !in->reader.failed)
        out_of_memory(in, list);
    return memory;
}

static void read_head(struct reading *in)
{
    struct pp_report *report = in->report;
    struct pp_reader *reader = &in->reader;
    char schema[64];
    if (!json_is_object(in->root.value))
        pp_reader_fail(reader, &in->root, "is not a report of ppsim: no JSON object");
    pp_read_text(reader, &in->root, "schema", schema, sizeof schema);
    if (!reader->failed && strcmp(schema, "ppsim.report/1") != 0) {
        struct pp_node node = {.parent = &in->root, .key = "schema"};
        bool sweep = strcmp(schema, "ppsim.sweep/1") == 0;
        pp_reader_fail(reader, &node, "is '%s', should be 'ppsim.report/1'%s", schema,
                       sweep ? ": a sweep is drawn by 'ppsim sweep', with its '--csv' "
                               "and '--plot'"
                             : "");
    }
    pp_read_text(reader, &in->root, "version", report->version, sizeof report->version);
    pp_read_text(reader, &in->root, "command", report->command, sizeof report->command);
}

/* Sets up the schedule without ops: sizes from the configuration, stages from the
 * ranks. Room for ops grows as they are read, whatever the file claims. */
static void read_schedule(struct reading *in, const struct pp_node *ranks)
{
    struct pp_reader *reader = &in->reader;
    struct pp_schedule *schedule = &in->report->schedule;
    struct pp_node config = pp_read_object(reader, &in->root, "config");
    struct pp_node stage_count = {.parent = &config, .key = "stages"};
    struct pp_node chunk_count = {.parent = &config, .key = "chunks"};
    char name[sizeof schedule->name];
    pp_read_text(reader, &config, "schedule", name, sizeof name);
    int rank_count = (int)pp_read_int(reader, &config, "ranks", 1, PP_MAX_RANKS);
    int chunks = (int)pp_read_int(reader, &config, "chunks", 1, MOST_COUNT);
    int stages = (int)pp_read_int(reader, &config, "stages", 1, MOST_COUNT);
    int microbatches =
        (int)pp_read_int(reader, &config, "microbatches", 1, PP_MAX_MICROBATCHES);
    if (reader->failed)
        return;
    if (json_array_size(ranks->value) != (size_t)rank_count) {
        pp_reader_fail(reader, ranks, "lists %zu ranks, 'config.ranks' says %d",
                       json_array_size(ranks->value), rank_count);
        return;
    }
    size_t listed = 0;
    for (size_t r = 0; r < (size_t)rank_count; r++)
        listed +=
            json_array_size(json_object_get(json_array_get(ranks->value, r), "stages"));
    if (listed != (size_t)stages) {
        pp_reader_fail(reader, &stage_count, "is %d, but the ranks list %zu", stages,
                       listed);
        return;
    }
    in->report->config = json_deep_copy(config.value);
    if (pp_schedule_init(schedule, rank_count, stages, 1, PP_CUSTOM, reader->error) !=
        0) {
        reader->failed = true;
        return;
    }
    schedule->microbatches = microbatches;
    strcpy(schedule->name, name);
    for (int r = 0; r < rank_count; r++) {
        struct pp_node rank = pp_read_element(reader, ranks, (size_t)r, JSON_OBJECT);
        struct pp_node list = pp_read_array(reader, &rank, "stages");
        for (size_t i = 0; i < json_array_size(list.value); i++) {
            struct pp_node node = pp_read_element(reader, &list, i, JSON_INTEGER);
            int stage = (int)pp_node_int(reader, &node, 0, stages - 1);
            if (reader->failed)
                return;
            if (schedule->rank_of[stage] >= 0)
                pp_reader_fail(reader, &node,
                               "is stage %d, which rank %d holds already", stage,
                               schedule->rank_of[stage]);
            schedule->rank_of[stage] = r;
        }
    }
    if (reader->failed)
        return;
    pp_schedule_place(schedule);
    if (schedule->chunks != chunks)
        pp_reader_fail(reader, &chunk_count,
                       "is %d, but the ranks hold up to %d stages", chunks,
                       schedule->chunks);
}

static void read_environment(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report_environment *environment = &in->report->environment;
    struct pp_node node = pp_read_object(reader, &in->root, "environment");
    environment->cores = (int)pp_read_int(reader, &node, "cores", 0, MOST_COUNT);
    pp_read_text(reader, &node, "clock", environment->clock, sizeof environment->clock);
    pp_read_text(reader, &node, "mpi", environment->mpi, sizeof environment->mpi);
    pp_read_text(reader, &node, "blas", environment->blas, sizeof environment->blas);
    pp_read_text(reader, &node, "host", environment->host, sizeof environment->host);
    environment->oversubscribed = pp_read_bool(reader, &node, "oversubscribed");
    environment->clock_error_s = pp_read_real(reader, &node, "clock_error_s");
}

static void read_rank(struct reading *in, const struct pp_node *ranks, int r)
{
    struct pp_reader *reader = &in->reader;
    struct pp_metrics *metrics = &in->report->metrics;
    struct pp_rank_metrics *rank = &metrics->of_rank[r];
    struct pp_report_rank *known = &in->report->ranks[r];
    struct pp_node node = pp_read_element(reader, ranks, (size_t)r, JSON_OBJECT);
    struct pp_node idle = {.parent = &node, .key = "idle_s"};

    pp_read_int(reader, &node, "rank", r, r);
    rank->busy = pp_read_ns(reader, &node, "busy_s");
    rank->idle = pp_read_ns(reader, &node, "idle_s");
    rank->causes.warmup = pp_read_ns(reader, &node, "warmup_s");
    rank->causes.dependency = pp_read_ns(reader, &node, "dependency_s");
    rank->causes.communication = pp_read_ns(reader, &node, "communication_s");
    rank->causes.overhead = pp_read_ns(reader, &node, "overhead_s");
    rank->causes.cooldown = pp_read_ns(reader, &node, "cooldown_s");
    rank->first_start = rank->causes.warmup;
    rank->last_end = metrics->makespan - rank->causes.cooldown;
    known->peak_in_flight = pp_read_real(reader, &node, "peak_in_flight");
    double chunks_in_flight = known->peak_in_flight * in->report->schedule.chunks;
    if (chunks_in_flight >= 0 && chunks_in_flight <= MOST_COUNT)
        rank->peak_in_flight = (int)lround(chunks_in_flight);
    known->peak_activation_bytes = pp_read_real(reader, &node, "peak_activation_bytes");
    known->parameter_bytes = pp_read_real(reader, &node, "parameter_bytes");
    pp_read_text(reader, &node, "cpuset", known->cpuset, sizeof known->cpuset);
    int64_t causes = rank->causes.warmup + rank->causes.dependency +
                     rank->causes.communication + rank->causes.overhead +
                     rank->causes.cooldown;
    if (rank->busy + rank->idle != metrics->makespan)
        pp_reader_fail(reader, &idle, "and 'busy_s' do not add up to 'makespan_s'");
    else if (causes != rank->idle)
        pp_reader_fail(reader, &idle, "is not the sum of its causes");
}

static void read_metrics(struct reading *in, const struct pp_node *ranks)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report *report = in->report;
    struct pp_metrics *metrics = &report->metrics;
    if (reader->failed)
        return;
    metrics->ranks = report->schedule.ranks;
    metrics->of_rank = allocate(in, ranks, sizeof *metrics->of_rank);
    report->ranks = allocate(in, ranks, sizeof *report->ranks);
    metrics->makespan = metrics->end = pp_read_ns(reader, &in->root, "makespan_s");
    for (int r = 0; r < metrics->ranks && !reader->failed; r++)
        read_rank(in, ranks, r);
    if (!reader->failed)
        pp_metrics_sum(metrics);
    struct pp_node bubble = pp_read_object(reader, &in->root, "bubble");
    metrics->bubble.fraction = pp_read_real(reader, &bubble, "fraction");
    metrics->bubble.over_ideal = pp_read_real(reader, &bubble, "over_ideal");
    metrics->bubble.span_fraction = pp_read_real(reader, &bubble, "span_fraction");
    report->theory = pp_read_real(reader, &bubble, "theory");
    pp_read_text(reader, &bubble, "theory_note", report->theory_note,
                 sizeof report->theory_note);
    report->predicted = pp_read_real(reader, &bubble, "predicted");
    report->bubble_min = pp_read_real(reader, &bubble, "min");
    report->bubble_max = pp_read_real(reader, &bubble, "max");
    report->predicted_makespan_s =
        pp_read_real(reader, &in->root, "predicted_makespan_s");
    report->tokens_per_s = pp_read_real(reader, &in->root, "tokens_per_s");
}

static void read_costs(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report *report = in->report;
    struct pp_node list = pp_read_array(reader, &in->root, "costs");
    size_t count = json_array_size(list.value);
    report->costs = allocate(in, &list, sizeof *report->costs);
    unsigned char *seen = NULL; /* [stages] a bit per kind */
    if (!reader->failed && !(seen = calloc((size_t)report->schedule.stages, 1)))
        out_of_memory(in, &list);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct pp_cost *cost = &report->costs[i];
        struct pp_node node = pp_read_element(reader, &list, i, JSON_OBJECT);
        struct pp_node kind = {.parent = &node, .key = "kind"};
        char letter[8];
        cost->stage =
            (int)pp_read_int(reader, &node, "stage", 0, report->schedule.stages - 1);
        pp_read_text(reader, &node, "kind", letter, sizeof letter);
        const char *found = strlen(letter) == 1 ? strchr("FBIW", letter[0]) : NULL;
        if (!found)
            pp_reader_fail(reader, &kind, "is '%s', should be F, B, I or W", letter);
        else
            cost->kind = (enum pp_kind)(found - strchr("FBIW", 'F'));
        if (!reader->failed && seen[cost->stage] & 1u << cost->kind)
            pp_reader_fail(reader, &node, "is of stage %d and %s again", cost->stage,
                           letter);
        else if (!reader->failed)
            seen[cost->stage] |= (unsigned char)(1u << cost->kind);
        cost->median = pp_read_ns(reader, &node, "median_s");
        cost->p5 = pp_read_ns(reader, &node, "p5_s");
        cost->p95 = pp_read_ns(reader, &node, "p95_s");
        cost->count = pp_read_int(reader, &node, "count", 0, INT64_MAX);
    }
    free(seen);
    report->cost_count = (int)count;
    struct pp_node link = pp_read_object(reader, &in->root, "link");
    struct pp_node bandwidth = {.parent = &link, .key = "bandwidth_Bps"};
    report->link_latency_s = (double)pp_read_ns(reader, &link, "latency_s") / 1e9;
    report->link_bandwidth = pp_read_real(reader, &link, "bandwidth_Bps");
    if (isnan(report->link_bandwidth))
        report->link_bandwidth = INFINITY;
    if (!(report->link_bandwidth > 0))
        pp_reader_fail(reader, &bandwidth, "should be greater than 0, or null: free");
}

static void read_training(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report_training *training = &in->report->training;
    struct pp_node node = pp_read_object(reader, &in->root, "training");
    struct pp_node losses = pp_read_array(reader, &node, "losses");
    size_t count = json_array_size(losses.value);
    training->losses = allocate(in, &losses, sizeof *training->losses);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct pp_node loss = {json_array_get(losses.value, i), &losses, NULL, i};
        training->losses[i] = pp_node_real(reader, &loss);
    }
    training->loss_count = (int)count;
    training->entropy_floor = pp_read_real(reader, &node, "entropy_floor");
    pp_read_text(reader, &node, "digest", training->digest, sizeof training->digest);
    if (json_is_null(json_object_get(node.value, "verified")))
        training->verified = -1;
    else
        training->verified = pp_read_bool(reader, &node, "verified");
}

static void read_steps(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report *report = in->report;
    struct pp_node list = pp_read_array(reader, &in->root, "steps");
    int64_t number =
        pp_read_int(reader, &in->root, "representative_step", INT32_MIN, INT32_MAX);
    size_t count = json_array_size(list.value);
    report->steps = allocate(in, &list, sizeof *report->steps);
    report->representative = -1;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct pp_step *step = &report->steps[i];
        struct pp_node node = pp_read_element(reader, &list, i, JSON_OBJECT);
        step->number = (int)pp_read_int(reader, &node, "step", INT32_MIN, INT32_MAX);
        step->makespan = pp_read_ns(reader, &node, "makespan_s");
        step->whole = pp_read_ns(reader, &node, "step_s");
        step->bubble = pp_read_real(reader, &node, "bubble");
        if (step->number == number && report->representative < 0)
            report->representative = (int)i;
    }
    report->step_count = (int)count;
    if (!reader->failed && report->representative < 0) {
        struct pp_node node = {.parent = &in->root, .key = "representative_step"};
        pp_reader_fail(reader, &node, "is %lld, which 'steps' does not list",
                       (long long)number);
    }
}

/* "3F12", or "3F12+" for an op that overlaps with the next. */
static bool parse_op(const char *text, struct pp_op *op)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    unsigned long stage = strtoul(text, &end, 10);
    const char *kind = *end ? strchr("FBIW", *end) : NULL;
    if (!kind || end[1] < '0' || end[1] > '9' || stage > INT32_MAX)
        return false;
    unsigned long microbatch = strtoul(end + 1, &end, 10);
    if (microbatch >= PP_MAX_MICROBATCHES)
        return false;
    *op = (struct pp_op){
        .stage = (uint32_t)stage,
        .kind = (uint32_t)(kind - strchr("FBIW", 'F')) & 3,
        .microbatch = (uint32_t)microbatch & (PP_MAX_MICROBATCHES - 1),
        .joined = *end == '+',
    };
    return strcmp(end, op->joined ? "+" : "") == 0;
}

static void read_op(struct reading *in, const struct pp_node *row, int r)
{
    struct pp_reader *reader = &in->reader;
    struct pp_schedule *schedule = &in->report->schedule;
    struct pp_node text = pp_read_element(reader, row, 0, JSON_STRING);
    struct pp_op op = {0};
    int64_t times[4];
    if (text.value && !parse_op(json_string_value(text.value), &op))
        pp_reader_fail(reader, &text, "is '%.40s', should be an op such as 3F12",
                       json_string_value(text.value));
    for (size_t i = 0; i < 4; i++) {
        struct pp_node node = pp_read_element(reader, row, i + 1, JSON_REAL);
        times[i] = pp_node_ns(reader, &node);
    }
    if (reader->failed)
        return;
    struct pp_span span = {times[0], times[1], times[2], times[3]};
    size_t k = schedule->first[r + 1];
    bool first = k == schedule->first[r];
    struct pp_span *spans = in->report->timeline.spans;
    if (span.end < span.start || span.arrived < span.ready ||
        span.start < (first ? 0 : spans[k - 1].end) ||
        span.end > in->report->metrics.makespan)
        pp_reader_fail(reader, row,
                       "has times out of order, or outside of the makespan");
    spans[k] = span;
    pp_push(schedule, op.kind, (int)op.stage, (int)op.microbatch);
    if (schedule->ops)
        schedule->ops[k].joined = op.joined;
}

static void read_timeline(struct reading *in)
{
    struct pp_reader *reader = &in->reader;
    struct pp_report *report = in->report;
    struct pp_schedule *schedule = &report->schedule;
    struct pp_node node = pp_read_object(reader, &in->root, "timeline");
    struct pp_node lists = pp_read_array(reader, &node, "ops");
    size_t pairs = (size_t)schedule->stages * (size_t)schedule->microbatches;
    size_t count = 0;
    if (!reader->failed && json_array_size(lists.value) != (size_t)schedule->ranks)
        pp_reader_fail(reader, &lists, "has %zu ranks, should have %d",
                       json_array_size(lists.value), schedule->ranks);
    for (size_t r = 0; r < json_array_size(lists.value); r++)
        count += json_array_size(json_array_get(lists.value, r));
    if (!reader->failed && (count < 2 * pairs || count > 3 * pairs))
        pp_reader_fail(reader, &lists,
                       "has %zu ops: %d stages and %d microbatches take %zu to %zu",
                       count, schedule->stages, schedule->microbatches, 2 * pairs,
                       3 * pairs);
    if (reader->failed)
        return;
    report->timeline = (struct pp_timeline){
        .schedule = schedule,
        .spans = calloc(count, sizeof *report->timeline.spans),
    };
    if (!report->timeline.spans) {
        reader->failed = true;
        pp_fail(reader->error, PP_ENVIRONMENT,
                "out of memory for the timeline of '%s', %zu ops", reader->path, count);
        return;
    }
    for (int r = 0; r < schedule->ranks; r++) {
        struct pp_node list = pp_read_element(reader, &lists, (size_t)r, JSON_ARRAY);
        pp_schedule_begin_rank(schedule, r);
        for (size_t k = 0; k < json_array_size(list.value) && !reader->failed; k++) {
            struct pp_node row = pp_read_element(reader, &list, k, JSON_ARRAY);
            read_op(in, &row, r);
        }
    }
    struct pp_error problem = {0};
    if (reader->failed)
        return;
    if (pp_schedule_end(schedule, reader->error) != 0) {
        reader->failed = true;
    } else if (pp_verify(schedule, &problem) != 0) {
        problem.text[strcspn(problem.text, "\n")] = '\0';
        pp_reader_fail(reader, &lists, "is no valid schedule: %s", problem.text);
    }
}

int pp_report_read_json(struct pp_report *report, const char *path,
                        struct pp_error *error)
{
    struct reading in = {.report = report};
    *report = (struct pp_report){.theory = NAN};
    if (pp_reader_load(&in.reader, path, &in.root, error) != 0)
        return -1;
    read_head(&in);
    struct pp_node ranks = pp_read_array(&in.reader, &in.root, "ranks");
    read_schedule(&in, &ranks);
    read_environment(&in);
    read_metrics(&in, &ranks);
    read_costs(&in);
    read_training(&in);
    read_steps(&in);
    if (!in.reader.failed && json_object_get(in.root.value, "timeline"))
        read_timeline(&in);
    json_decref(in.root.value);
    if (in.reader.failed)
        pp_report_release(report);
    return in.reader.failed ? -1 : 0;
}
