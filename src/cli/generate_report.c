#include "cli/generate_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "cli/environment.h"
#include "predict/predict.h"
#include "schedules/catalogue.h"
#include "text/utf8.h"
#include "timeline/quantile.h"
#include "version.h"

/* --- tokens ----------------------------------------------------------------------- */

static json_t *tokens_json(const int32_t *tokens, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++)
        pp_json_append(&list, json_integer(tokens[i]));
    return list;
}

/* The text as JSON can have it: bytes that are no UTF-8, and zeros, become U+FFFD. */
static json_t *text_json(const struct pp_prompt *prompt)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t wide = sizeof replacement - 1, put = 0, bytes;
    char *text = malloc(prompt->text_bytes * wide + 1);
    for (size_t at = 0; text && at < prompt->text_bytes; at += bytes) {
        const char *from = prompt->text + at;
        enum pp_utf8 what = pp_utf8_next(from, prompt->text_bytes - at, &bytes);
        bool whole = what == PP_UTF8_WHOLE && *from != '\0';
        size_t length = whole ? bytes : wide;
        memcpy(text + put, whole ? from : replacement, length);
        put += length;
    }
    json_t *value = text ? json_stringn(text, put) : NULL;
    free(text);
    return value;
}

static json_t *sequences_json(const struct pp_prompts *prompts)
{
    json_t *list = json_array();
    for (int i = 0; i < prompts->count; i++) {
        const struct pp_prompt *prompt = &prompts->prompts[i];
        json_t *sequence = json_object();
        pp_json_set(&sequence, "prompt_tokens",
                    tokens_json(prompt->prompt, prompt->prompt_count));
        pp_json_set(&sequence, "tokens",
                    tokens_json(prompt->tokens, prompt->token_count));
        pp_json_set(&sequence, "text", text_json(prompt));
        pp_json_set(&sequence, "finish",
                    prompt->finish ? json_string(prompt->finish) : json_null());
        pp_json_append(&list, sequence);
    }
    return list;
}

static struct pp_quantiles quantiles(double *values, size_t count)
{
    if (count == 0)
        return (struct pp_quantiles){(double)NAN, (double)NAN, (double)NAN};
    return (struct pp_quantiles){
        pp_quantile(values, count, 0.5),
        pp_quantile(values, count, 0.95),
        pp_quantile(values, count, 0.99),
    };
}

/* Times to the first token and between tokens; begin: when the first op started. */
static int set_latencies(struct pp_report_generation *told,
                         const struct pp_prompts *prompts, int64_t begin,
                         struct pp_error *error)
{
    size_t sequences = (size_t)prompts->count, first = 0, between = 0;
    double *firsts = malloc((sequences + 1) * sizeof *firsts);
    double *gaps = malloc(((size_t)told->generated_tokens + 1) * sizeof *gaps);
    int status = 0;
    if (!firsts || !gaps)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d tokens' times",
                         told->generated_tokens);
    for (int i = 0; i < prompts->count && status == 0; i++) {
        const struct pp_prompt *prompt = &prompts->prompts[i];
        if (prompt->token_count > 0)
            firsts[first++] = (double)(prompt->times[0] - begin) / 1e9;
        for (int t = 1; t < prompt->token_count; t++)
            gaps[between++] = (double)(prompt->times[t] - prompt->times[t - 1]) / 1e9;
    }
    if (status == 0) {
        told->ttft = quantiles(firsts, first);
        told->tpot = quantiles(gaps, between);
    }
    free(firsts);
    free(gaps);
    return status;
}

/* --- decoding --------------------------------------------------------------------- */

/* How many groups take turns in one order from the first batch to the last, be the last
 * turn incomplete; 0 where they do not. */
static int groups_in_turn(const struct pp_schedule *schedule)
{
    const int *after = schedule->after;
    int groups = 0;
    while (groups < schedule->microbatches && after[groups] < 0)
        groups++;
    for (int i = groups; i < schedule->microbatches; i++) {
        if (after[i] != i - groups)
            return 0;
    }
    return groups;
}

/* The catalogue's closed form for a window's batches, of stages that take alike and
 * free links. NaN where groups do not take turns. */
static double closed_form(const struct pp_schedule *schedule)
{
    const struct pp_shape shape = {
        .ranks = schedule->ranks,
        .chunks = 1,
        .microbatches = schedule->microbatches,
        .groups = groups_in_turn(schedule),
    };
    const struct pp_equal_costs equal = {.forward = 1};
    struct pp_theory theory;
    const char *why;
    const struct pp_scheduler *row = pp_catalogue_find(schedule->name);
    if (shape.groups == 0 || !row->theory(&shape, &equal, &theory, &why))
        return (double)NAN;
    return theory.bubble / theory.makespan;
}

/* What the window after the last batch of a prompt says. */
static int set_decoding(struct pp_report_generation *told,
                        const struct pp_record *record, struct pp_error *error)
{
    struct pp_schedule schedule = {0};
    struct pp_timeline timeline = {0};
    struct pp_metrics metrics = {0};
    int status = 0;
    told->decode_bubble = told->decode_theory = (double)NAN;
    told->decode_batches = pp_record_decoding(record);
    if (told->decode_batches > 0) {
        status = pp_record_timeline(record, true, &schedule, &timeline, error);
        if (status == 0)
            status = pp_metrics_init(&metrics, &timeline, error);
        if (status == 0) {
            told->decode_bubble = metrics.bubble.fraction;
            told->decode_theory = closed_form(&schedule);
        }
    }
    pp_metrics_release(&metrics);
    pp_timeline_release(&timeline);
    pp_schedule_release(&schedule);
    return status;
}

/* How fast weights are read: by a rank while it decodes, and plainly; and memory. */
static void set_reading(struct pp_report_generation *told,
                        const struct pp_record *record,
                        const struct pp_engine_result *result)
{
    int ranks = record->ranks;
    double read = 0, plain = 0, memory = 0;
    for (int r = 0; r < ranks; r++) {
        int64_t busy = 0, batches = 0;
        for (int i = 0; i < record->count; i++) {
            const struct pp_span *span =
                &record->spans[(size_t)i * (size_t)ranks + (size_t)r];
            busy += record->batches[i].prefill ? 0 : span->end - span->start;
            batches += !record->batches[i].prefill;
        }
        read += (double)(result->rank[r].token_bytes * batches) * 1e9 / (double)busy;
        plain += result->rank[r].reading.weights;
        memory += result->rank[r].reading.memory;
        told->weights_cached |= result->rank[r].reading.cached;
    }
    told->weight_Bps = read / ranks;
    told->read_Bps = plain / ranks;
    told->memory_Bps = memory / ranks;
}

static int set_generation(struct pp_report *report,
                          const struct pp_generation *generation,
                          const struct pp_engine_result *result, struct pp_error *error)
{
    const struct pp_prompts *prompts = &generation->prompts;
    const struct pp_record *record = &generation->record;
    struct pp_report_generation *told = &report->generation;
    told->groups = result->info.groups;
    told->prefill_chunk = result->info.prefill_chunk;
    for (int i = 0; i < prompts->count; i++) {
        told->prompt_tokens += prompts->prompts[i].prompt_count;
        told->generated_tokens += prompts->prompts[i].token_count;
    }
    told->tokens_per_s = report->tokens_per_s;
    told->utilization = 1 - report->metrics.bubble.fraction;
    told->sequences = sequences_json(prompts);
    if (!told->sequences)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the tokens");
    set_reading(told, record, result);
    if (set_decoding(told, record, error) != 0)
        return -1;
    return set_latencies(told, prompts, record->spans[0].start, error);
}

/* --- the whole -------------------------------------------------------------------- */

static json_t *config_of(const struct pp_generation *generation,
                         const struct pp_engine_result *result)
{
    json_t *config = pp_options_config(generation->options), *split = json_array();
    for (int r = 0; r < result->info.ranks; r++)
        pp_json_append(&split, json_integer(result->rank[r].layers));
    pp_json_set(&config, "layer_split", split);
    pp_json_set(&config, "decode",
                json_string(generation->sampling.greedy ? "greedy" : "sample"));
    pp_json_set(&config, "groups", json_integer(result->info.groups));
    pp_json_set(&config, "layers", json_integer(result->info.layers));
    pp_json_set(&config, "d_model", json_integer(result->info.d_model));
    pp_json_set(&config, "heads", json_integer(result->info.heads));
    pp_json_set(&config, "vocab", json_integer(result->info.vocab));
    pp_json_set(&config, "seq_len", json_integer(result->info.context));
    return config;
}

static void describe_ranks(struct pp_report *report,
                           const struct pp_engine_result *result)
{
    for (int r = 0; r < result->info.ranks; r++) {
        struct pp_report_rank *rank = &report->ranks[r];
        rank->parameter_bytes = (double)result->rank[r].parameter_bytes;
        rank->kv_cache_bytes = (double)result->rank[r].kv_cache_bytes;
        memcpy(rank->cpuset, result->rank[r].cpuset, sizeof rank->cpuset);
    }
}

/* What each op took, by its place in the schedule. NULL when out of memory. */
static int64_t *times_of(const struct pp_timeline *timeline)
{
    size_t ops = pp_schedule_ops(timeline->schedule);
    int64_t *each = malloc((ops + 1) * sizeof *each);
    for (size_t k = 0; each && k < ops; k++)
        each[k] = timeline->spans[k].end - timeline->spans[k].start;
    return each;
}

/* Where as many groups as ranks take turns, any op that is slower than the others holds
 * up all of them. So a generation, which happens once, is predicted from what each of
 * its ops took; and once more with the median of each class, as a run's step is, which
 * says how much of the bubble comes from ops that took longer than others like them. */
static int predict(struct pp_report *report, const struct pp_model_config *model,
                   struct pp_error *error)
{
    struct pp_costs costs = {0};
    double makespan_s;
    int64_t *each = times_of(&report->timeline);
    int status =
        each ? pp_costs_from_report(&costs, report, &report->schedule,
                                    pp_row_bytes(model), error)
             : pp_fail(error, PP_ENVIRONMENT, "out of memory for the ops' times");
    if (status == 0)
        status = pp_predict(&report->schedule, &costs,
                            &report->generation.median_bubble, &makespan_s, error);
    costs.each = each;
    if (status == 0)
        status = pp_predict(&report->schedule, &costs, &report->predicted,
                            &report->predicted_makespan_s, error);
    pp_costs_release(&costs);
    free(each);
    return status;
}

int pp_generate_report(struct pp_report *report, const struct pp_generation *generation,
                       const struct pp_engine_result *result, struct pp_error *error)
{
    struct pp_schedule schedule = {0};
    struct pp_timeline timeline = {0};
    double tokens = 0;
    for (int i = 0; i < generation->prompts.count; i++)
        tokens += generation->prompts.prompts[i].token_count;
    if (pp_record_timeline(&generation->record, false, &schedule, &timeline, error) !=
        0) {
        pp_timeline_release(&timeline);
        pp_schedule_release(&schedule);
        return -1;
    }
    const struct pp_measured measured = {
        .schedule = &schedule,
        .timelines = &timeline,
        .numbers = (const int[]){1},
        .count = 1,
        .tokens = tokens,
    };
    if (pp_report_measure(report, &measured, error) != 0)
        return -1;
    report->config = config_of(generation, result);
    if (!report->config)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    pp_assign(report->command, sizeof report->command, "generate");
    pp_assign(report->version, sizeof report->version, "%s", PP_VERSION);
    pp_describe_environment(report, &result->environment);
    describe_ranks(report, result);
    pp_assign(report->theory_note, sizeof report->theory_note,
              "prompts and ends differ: the closed form is of decoding alone");
    if (set_generation(report, generation, result, error) != 0)
        return -1;
    return predict(report, &generation->chosen.config, error);
}
