#include "serve/metrics.h"

#include <stddef.h>

/* Bounds; a zero ends a list. */
static const double token_times[PP_MOST_BUCKETS] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3,
    0.4,   0.5,    0.75,  1,    2.5,   5,    7.5,   10,  20,   40,  80};
static const double first_times[PP_MOST_BUCKETS] = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
    1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
static const double request_times[PP_MOST_BUCKETS] = {
    0.05, 0.1, 0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,
    15,   20,  30,  40,  50,  60, 120, 240, 480, 960, 1920};
static const double token_counts[PP_MOST_BUCKETS] = {
    1,    2,    5,    10,    20,    50,    100,    200,   500,
    1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000};

static const struct row {
    const char *name, *old, *help; /* old: another name for the same; NULL */
    const double *bounds;
} rows[PP_HISTOGRAMS] = {
    [PP_TIME_TO_FIRST_TOKEN] = {"vllm:time_to_first_token_seconds", NULL,
                                "Time to first token", first_times},
    [PP_INTER_TOKEN] = {"vllm:inter_token_latency_seconds",
                        "vllm:time_per_output_token_seconds",
                        "Time between a sequence's tokens", token_times},
    [PP_TIME_PER_TOKEN] = {"vllm:request_time_per_output_token_seconds", NULL,
                           "Mean time per token of a sequence, behind its first",
                           token_times},
    [PP_LATENCY] = {"vllm:e2e_request_latency_seconds", NULL,
                    "Time from request to end", request_times},
    [PP_QUEUE_TIME] = {"vllm:request_queue_time_seconds", NULL,
                       "Time until a sequence had a slot", request_times},
    [PP_PREFILL_TIME] = {"vllm:request_prefill_time_seconds", NULL,
                         "Time from slot to first token", request_times},
    [PP_DECODE_TIME] = {"vllm:request_decode_time_seconds", NULL,
                        "Time from first token to last", request_times},
    [PP_PROMPT_TOKENS] = {"vllm:request_prompt_tokens", NULL,
                          "Prompt tokens of a sequence", token_counts},
    [PP_GENERATION_TOKENS] = {"vllm:request_generation_tokens", NULL,
                              "Generated tokens of a sequence", token_counts},
};

static int bounds_of(const double *bounds)
{
    int count = 0;
    while (count < PP_MOST_BUCKETS && bounds[count] > 0)
        count++;
    return count;
}

void pp_metrics_add(struct pp_metrics *metrics, enum pp_histogram histogram,
                    double value)
{
    const double *bounds = rows[histogram].bounds;
    int bucket = 0, count = bounds_of(bounds);
    while (bucket < count && value > bounds[bucket])
        bucket++;
    metrics->histograms[histogram].counts[bucket]++;
    metrics->histograms[histogram].sum += value;
}

static void print_head(struct pp_bytes *text, const char *name, const char *type,
                       const char *help)
{
    pp_bytes_print(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_histogram(const struct pp_metrics *metrics, int histogram,
                            const char *name, const char *model, struct pp_bytes *text)
{
    const struct row *row = &rows[histogram];
    const uint64_t *counts = metrics->histograms[histogram].counts;
    int bounds = bounds_of(row->bounds);
    uint64_t total = 0;
    print_head(text, name, "histogram", row->help);
    for (int i = 0; i <= bounds; i++) {
        total += counts[i];
        if (i < bounds)
            pp_bytes_print(text, "%s_bucket{model_name=\"%s\",le=\"%g\"} %llu\n", name,
                           model, row->bounds[i], (unsigned long long)total);
    }
    pp_bytes_print(text, "%s_bucket{model_name=\"%s\",le=\"+Inf\"} %llu\n", name, model,
                   (unsigned long long)total);
    pp_bytes_print(text, "%s_sum{model_name=\"%s\"} %.9g\n", name, model,
                   metrics->histograms[histogram].sum);
    pp_bytes_print(text, "%s_count{model_name=\"%s\"} %llu\n", name, model,
                   (unsigned long long)total);
}

static void print_value(struct pp_bytes *text, const char *name, const char *type,
                        const char *help, const char *model, double value)
{
    print_head(text, name, type, help);
    pp_bytes_print(text, "%s{model_name=\"%s\"} %.15g\n", name, model, value);
}

/* A label's value: '\', '"' and line feeds are escaped. Returns text. */
static const char *label(const char *value, char *text, size_t size)
{
    size_t at = 0;
    for (; *value && at + 3 < size; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n')
            text[at++] = '\\';
        text[at++] = *value == '\n' ? 'n' : *value;
    }
    text[at] = '\0';
    return text;
}

static void print_counters(const struct pp_metrics *metrics, const char *model,
                           struct pp_bytes *text)
{
    static const char *const outcomes[PP_OUTCOMES] = {"stop", "length", "abort"};
    print_value(text, "vllm:prompt_tokens_total", "counter", "Prompt tokens", model,
                (double)metrics->prompt_tokens);
    print_value(text, "vllm:generation_tokens_total", "counter", "Generated tokens",
                model, (double)metrics->generation_tokens);
    print_head(text, "vllm:request_success_total", "counter",
               "Sequences that have ended, by how");
    for (int i = 0; i < PP_OUTCOMES; i++)
        pp_bytes_print(
            text,
            "vllm:request_success_total{model_name=\"%s\",finished_reason=\"%s\"} "
            "%llu\n",
            model, outcomes[i], (unsigned long long)metrics->outcomes[i]);
    print_value(text, "ppsim:requests_refused_total", "counter",
                "Requests that found the queue full", model, (double)metrics->refused);
    print_value(text, "ppsim:ranks_started_total", "counter",
                "How often the ranks were started", model, (double)metrics->starts);
}

void pp_metrics_print(const struct pp_metrics *metrics, const struct pp_gauges *gauges,
                      struct pp_bytes *text)
{
    char model[512];
    label(gauges->model, model, sizeof model);
    print_value(text, "vllm:num_requests_running", "gauge", "Sequences with a slot",
                model, gauges->running);
    print_value(text, "vllm:num_requests_waiting", "gauge", "Sequences in the queue",
                model, gauges->waiting);
    /* vllm:kv_cache_usage_perc is of the cache's blocks, which a slot may use few of.
     */
    print_value(text, "ppsim:slots_used", "gauge",
                "Part of the slots that sequences have, 0 to 1", model,
                gauges->slots_used);
    print_value(text, "ppsim:ready", "gauge", "Do the ranks answer? 1 or 0", model,
                gauges->ready);
    print_counters(metrics, model, text);
    for (int i = 0; i < PP_HISTOGRAMS; i++) {
        print_histogram(metrics, i, rows[i].name, model, text);
        if (rows[i].old)
            print_histogram(metrics, i, rows[i].old, model, text);
    }
}
