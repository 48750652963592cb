/* Writing the report. By hand, not through a tree: times are exact decimals of whole
 * ns, and a timeline of a million ops needs no memory. */
#include "report/export/json.h"

#include <math.h>
#include <stdlib.h>

#include "base/output.h"
#include "report/export/text.h"
#include "report/numbers.h"

static void put_text(FILE *stream, const char *text)
{
    json_t *string = json_string(text);
    if (!string) /* not UTF-8 */
        string = json_string("?");
    json_dumpf(string, stream, JSON_ENCODE_ANY);
    json_decref(string);
}

/* "key": value; what is not finite is null. */
static void put_real(FILE *stream, const char *key, double value)
{
    char text[PP_REAL_TEXT];
    fprintf(stream, "\"%s\": %s", key,
            isfinite(value) ? pp_real_text(value, text) : "null");
}

static void put_time(FILE *stream, const char *key, int64_t ns)
{
    char text[PP_DECIMAL_TEXT];
    fprintf(stream, "\"%s\": %s", key, pp_decimal_text(ns, 9, text));
}

static void put_string(FILE *stream, const char *key, const char *text)
{
    fprintf(stream, "\"%s\": ", key);
    put_text(stream, text);
}

static const char *between(int index)
{
    return index > 0 ? "," : "";
}

/* The caller's options, with what names the schedule put right: an alias or a default
 * becomes what was built. */
static int put_config(FILE *stream, const struct pp_report *report,
                      struct pp_error *error)
{
    const struct pp_schedule *schedule = &report->schedule;
    json_t *config = report->config ? json_copy(report->config) : json_object();
    bool failed =
        !config ||
        json_object_set_new(config, "schedule", json_string(schedule->name)) ||
        json_object_set_new(config, "ranks", json_integer(schedule->ranks)) ||
        json_object_set_new(config, "chunks", json_integer(schedule->chunks)) ||
        json_object_set_new(config, "stages", json_integer(schedule->stages)) ||
        json_object_set_new(config, "microbatches",
                            json_integer(schedule->microbatches));
    fputs(",\n\"config\": ", stream);
    failed =
        failed || json_dumpf(config, stream, JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    json_decref(config);
    return failed ? pp_fail(error, PP_ENVIRONMENT, "out of memory for a report") : 0;
}

static void put_environment(FILE *stream,
                            const struct pp_report_environment *environment)
{
    fprintf(stream, ",\n\"environment\": {\"cores\": %d, ", environment->cores);
    put_string(stream, "clock", environment->clock);
    fputs(", ", stream);
    put_string(stream, "mpi", environment->mpi);
    fputs(", ", stream);
    put_string(stream, "blas", environment->blas);
    fputs(", ", stream);
    put_string(stream, "host", environment->host);
    fprintf(stream, ", \"oversubscribed\": %s, ",
            environment->oversubscribed ? "true" : "false");
    put_real(stream, "clock_error_s", environment->clock_error_s);
    fputs("}", stream);
}

static void put_makespans(FILE *stream, const struct pp_report *report)
{
    const struct pp_step *steps = report->steps;
    struct pp_makespans spans = pp_makespans(steps, report->step_count);
    fputs(",\n", stream);
    put_time(stream, "makespan_s", report->metrics.makespan);
    fputs(", ", stream);
    put_time(stream, "makespan_median_s", spans.median);
    fputs(", ", stream);
    put_time(stream, "makespan_min_s", spans.min);
    fputs(", ", stream);
    put_time(stream, "makespan_max_s", spans.max);
    fputs(",\n", stream);
    put_real(stream, "predicted_makespan_s", report->predicted_makespan_s);
    fputs(",\n", stream);
    put_real(stream, "tokens_per_s", report->tokens_per_s);
}

/* The causes as shares of p * makespan: they add up to the fraction. */
static void put_bubble(FILE *stream, const struct pp_report *report)
{
    const struct pp_metrics *metrics = &report->metrics;
    const struct pp_bubble *bubble = &metrics->bubble;
    const struct pp_causes *causes = &metrics->causes;
    const struct {
        const char *key;
        double value;
    } values[] = {
        {"fraction", bubble->fraction},
        {"over_ideal", bubble->over_ideal},
        {"span_fraction", bubble->span_fraction},
        {"theory", report->theory},
        {"predicted", report->predicted},
        {"min", report->bubble_min},
        {"max", report->bubble_max},
    };
    const struct {
        const char *key;
        int64_t ns;
    } shares[] = {
        {"warmup", causes->warmup},
        {"dependency", causes->dependency},
        {"communication", causes->communication},
        {"overhead", causes->overhead},
        {"cooldown", causes->cooldown},
    };
    double total = (double)metrics->ranks * (double)metrics->makespan;

    fputs(",\n\"bubble\": {", stream);
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++) {
        put_real(stream, values[i].key, values[i].value);
        fputs(", ", stream);
    }
    fputs("\n  ", stream);
    put_string(stream, "theory_note", report->theory_note);
    fputs(",\n  \"causes\": {", stream);
    for (int i = 0; i < (int)(sizeof shares / sizeof *shares); i++) {
        fputs(i > 0 ? ", " : "", stream);
        put_real(stream, shares[i].key, (double)shares[i].ns / total);
    }
    fputs("}}", stream);
}

static void put_rank(FILE *stream, const struct pp_report *report, int r,
                     const int *stages)
{
    const struct pp_rank_metrics *metrics = &report->metrics.of_rank[r];
    const struct pp_report_rank *rank = &report->ranks[r];
    fprintf(stream, "%s\n  {\"rank\": %d, \"stages\": [", between(r), r);
    for (int c = 0; c < report->schedule.chunks && stages[c] >= 0; c++)
        fprintf(stream, "%s%d", c > 0 ? ", " : "", stages[c]);
    fputs("], ", stream);
    const struct {
        const char *key;
        int64_t ns;
    } times[] = {
        {"busy_s", metrics->busy},
        {"idle_s", metrics->idle},
        {"warmup_s", metrics->causes.warmup},
        {"dependency_s", metrics->causes.dependency},
        {"communication_s", metrics->causes.communication},
        {"overhead_s", metrics->causes.overhead},
        {"cooldown_s", metrics->causes.cooldown},
    };
    for (int i = 0; i < (int)(sizeof times / sizeof *times); i++) {
        put_time(stream, times[i].key, times[i].ns);
        fputs(", ", stream);
    }
    put_real(stream, "peak_in_flight", rank->peak_in_flight);
    fputs(", ", stream);
    put_real(stream, "peak_activation_bytes", rank->peak_activation_bytes);
    fputs(", ", stream);
    put_real(stream, "parameter_bytes", rank->parameter_bytes);
    fputs(", ", stream);
    put_string(stream, "cpuset", rank->cpuset);
    fputs("}", stream);
}

static int put_ranks(FILE *stream, const struct pp_report *report,
                     struct pp_error *error)
{
    const struct pp_schedule *schedule = &report->schedule;
    size_t chunks = (size_t)schedule->chunks;
    int *stages = pp_stages_by_rank(schedule);
    if (!stages)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a report");
    fputs(",\n\"ranks\": [", stream);
    for (int r = 0; r < schedule->ranks; r++)
        put_rank(stream, report, r, &stages[(size_t)r * chunks]);
    fputs("]", stream);
    free(stages);
    return 0;
}

static void put_costs(FILE *stream, const struct pp_report *report)
{
    fputs(",\n\"costs\": [", stream);
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        fprintf(stream, "%s\n  {\"stage\": %d, \"kind\": \"%c\", ", between(i),
                cost->stage, pp_kind_letter(cost->kind));
        put_time(stream, "median_s", cost->median);
        fputs(", ", stream);
        put_time(stream, "p5_s", cost->p5);
        fputs(", ", stream);
        put_time(stream, "p95_s", cost->p95);
        fprintf(stream, ", \"count\": %lld}", (long long)cost->count);
    }
    fputs("],\n\"link\": {", stream);
    put_real(stream, "latency_s", report->link_latency_s);
    fputs(", ", stream);
    put_real(stream, "bandwidth_Bps", report->link_bandwidth);
    fputs("}", stream);
}

static void put_training(FILE *stream, const struct pp_report_training *training)
{
    static const char *const verified[] = {"null", "false", "true"};
    char text[PP_REAL_TEXT];
    fputs(",\n\"training\": {\"losses\": [", stream);
    for (int i = 0; i < training->loss_count; i++) {
        double loss = training->losses[i];
        fprintf(stream, "%s%s", i > 0 ? ", " : "",
                isfinite(loss) ? pp_real_text(loss, text) : "null");
    }
    fputs("],\n  ", stream);
    put_real(stream, "entropy_floor", training->entropy_floor);
    fputs(", ", stream);
    put_string(stream, "digest", training->digest);
    fprintf(stream, ", \"verified\": %s}", verified[training->verified + 1]);
}

static void put_steps(FILE *stream, const struct pp_report *report)
{
    fprintf(stream, ",\n\"representative_step\": %d,\n\"steps\": [",
            report->steps[report->representative].number);
    for (int i = 0; i < report->step_count; i++) {
        const struct pp_step *step = &report->steps[i];
        fprintf(stream, "%s\n  {\"step\": %d, ", between(i), step->number);
        put_time(stream, "makespan_s", step->makespan);
        fputs(", ", stream);
        put_time(stream, "step_s", step->whole);
        fputs(", ", stream);
        put_real(stream, "bubble", step->bubble);
        fputs("}", stream);
    }
    fputs("]", stream);
}

/* Per rank its ops in order, times from the step's start on. "+" behind an op: it
 * overlaps with the one that follows. */
static void put_timeline(FILE *stream, const struct pp_report *report)
{
    const struct pp_schedule *schedule = &report->schedule;
    const struct pp_span *spans = report->timeline.spans;
    int64_t start = report->metrics.start;
    if (!spans || pp_schedule_ops(schedule) > PP_JSON_MOST_OPS)
        return;
    fprintf(stream,
            ",\n\"timeline\": {\"step\": %d, \"columns\": [\"op\", \"start_s\", "
            "\"end_s\", \"ready_s\", \"arrived_s\"],\n  \"ops\": [",
            report->steps[report->representative].number);
    struct pp_text text;
    text.stream = stream;
    text.used = 0;
    for (int r = 0; r < schedule->ranks; r++) {
        pp_text_put(&text, r > 0 ? ",\n  [" : "\n  [");
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            char op[PP_OP_TEXT];
            const struct pp_span *span = &spans[k];
            const int64_t times[] = {span->start, span->end, span->ready,
                                     span->arrived};
            pp_text_put(&text, k > schedule->first[r] ? ",\n   [\"" : "[\"");
            pp_text_put(&text, pp_op_text(schedule->ops[k], op));
            pp_text_put(&text, schedule->ops[k].joined ? "+\"" : "\"");
            for (int i = 0; i < 4; i++) {
                pp_text_char(&text, ',');
                pp_text_seconds(&text, times[i] - start);
            }
            pp_text_char(&text, ']');
        }
        pp_text_char(&text, ']');
    }
    pp_text_put(&text, "]}");
    pp_text_flush(&text);
}

static int put_report(FILE *stream, const struct pp_report *report,
                      struct pp_error *error)
{
    fputs("{\"schema\": \"ppsim.report/1\", ", stream);
    put_string(stream, "version", report->version);
    fputs(", ", stream);
    put_string(stream, "command", report->command);
    if (put_config(stream, report, error) != 0)
        return -1;
    put_environment(stream, &report->environment);
    put_makespans(stream, report);
    put_bubble(stream, report);
    if (put_ranks(stream, report, error) != 0)
        return -1;
    put_costs(stream, report);
    put_training(stream, &report->training);
    put_steps(stream, report);
    put_timeline(stream, report);
    fputs("}\n", stream);
    return 0;
}

int pp_report_write_json(const struct pp_report *report, const char *path,
                         struct pp_error *error)
{
    struct pp_output output;
    if (pp_output_open(&output, path, error) != 0)
        return -1;
    if (put_report(output.stream, report, error) != 0) {
        pp_output_abandon(&output);
        return -1;
    }
    return pp_output_commit(&output, error);
}
