#include "report/report.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/words.h"

#include "timeline/core_share.h"

/* A report in which everything is still unknown. */
static struct pp_report unknown(void)
{
    return (struct pp_report){
        .theory = NAN,
        .predicted = NAN,
        .predicted_makespan_s = NAN,
        .tokens_per_s = NAN,
        .bubble_min = NAN,
        .bubble_max = NAN,
        .link_bandwidth = INFINITY,
        .training = {.resumed_from = NAN,
                     .stopped_after = NAN,
                     .entropy_floor = NAN,
                     .verified = -1},
    };
}

static void find_ranges(struct pp_report *report)
{
    report->makespans = pp_makespans(report->steps, report->step_count);
    for (int i = 0; i < report->step_count; i++) {
        report->bubble_min = fmin(report->bubble_min, report->steps[i].bubble);
        report->bubble_max = fmax(report->bubble_max, report->steps[i].bubble);
    }
}

static double rate(const struct pp_report *report, double tokens)
{
    double seconds = (double)report->steps[report->representative].duration / 1e9;
    return tokens > 0 && seconds > 0 ? tokens / seconds : NAN;
}

/* The ranks, of which only the share that each had of its core is known yet. */
static int init_ranks(struct pp_report *report, const struct pp_measured *measured,
                      struct pp_error *error)
{
    int ranks = report->schedule.ranks;
    report->ranks = calloc((size_t)ranks, sizeof *report->ranks);
    if (!report->ranks)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a report of %d ranks",
                       ranks);
    for (int r = 0; r < ranks; r++) {
        report->ranks[r].peak_activation_bytes = NAN;
        report->ranks[r].parameter_bytes = NAN;
        report->ranks[r].gradient_bytes = NAN;
        report->ranks[r].optimizer_bytes = NAN;
        report->ranks[r].kv_cache_bytes = NAN;
        report->ranks[r].core_share =
            pp_core_share(measured->timelines, measured->count, r);
    }
    return 0;
}

/* As the timeline counts them, in microbatches of a whole rank. */
static void fill_peaks(struct pp_report *report)
{
    for (int r = 0; r < report->schedule.ranks; r++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a step */
        int peak = report->metrics.of_rank[r].peak_in_flight;
        report->ranks[r].peak_in_flight = (double)peak / report->schedule.chunks;
    }
}

/* The stages on the rank that a microbatch meets there, of the copy with most of them;
 * they share what a microbatch of the whole rank holds. */
static int stages_met(const struct pp_schedule *schedule, const int *met, int rank)
{
    int most = 1;
    for (int c = 0; c < schedule->copies; c++) {
        int here = met[(size_t)c * (size_t)schedule->ranks + (size_t)rank];
        most = here > most ? here : most;
    }
    return most;
}

int pp_report_set_memory(struct pp_report *report, struct pp_hold hold,
                         struct pp_error *error)
{
    const struct pp_schedule *schedule = &report->schedule;
    struct pp_hold *each = calloc((size_t)schedule->stages, sizeof *each);
    int *met = pp_schedule_stages_met(schedule), status = 0;
    if (!each || !met)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                         schedule->stages);
    for (int s = 0; s < schedule->stages && status == 0; s++)
        each[s] = hold;
    for (int r = 0; r < schedule->ranks && status == 0; r++) {
        double *peak = &report->ranks[r].peak_memory;
        status = pp_peak_memory(schedule, r, each, peak, error);
        if (status == 0)
            *peak /= stages_met(schedule, met, r);
    }
    free(each);
    free(met);
    return status;
}

/* Measures every step, and leaves the metrics of the representative one in the report.
 */
static int measure_steps(struct pp_report *report, struct pp_metrics *metrics,
                         const struct pp_measured *measured, struct pp_error *error)
{
    struct pp_timeline *timelines = measured->timelines;
    for (int i = 0; i < report->step_count; i++) {
        if (pp_metrics_init(&metrics[i], &timelines[i], error) != 0)
            return -1;
        report->steps[i] = (struct pp_step){
            .number = measured->numbers[i],
            .makespan = metrics[i].makespan,
            .duration =
                measured->durations ? measured->durations[i] : metrics[i].duration,
            .bubble = metrics[i].bubble.fraction,
        };
    }
    int representative = pp_representative(report->steps, report->step_count);
    report->representative = representative;
    report->metrics = metrics[representative];
    metrics[representative] = (struct pp_metrics){0};
    report->timeline = timelines[representative];
    timelines[representative] = (struct pp_timeline){0};
    return 0;
}

int pp_report_measure(struct pp_report *report, const struct pp_measured *measured,
                      struct pp_error *error)
{
    struct pp_timeline *timelines = measured->timelines;
    int count = measured->count;
    assert(count >= 1);
    *report = unknown();
    report->schedule = *measured->schedule;
    *measured->schedule = (struct pp_schedule){0};
    for (int i = 0; i < count; i++)
        timelines[i].schedule = &report->schedule;

    int result = -1;
    struct pp_metrics *metrics = calloc((size_t)count, sizeof *metrics);
    report->steps = calloc((size_t)count, sizeof *report->steps);
    if (!metrics || !report->steps) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a report of %d steps", count);
        goto done;
    }
    report->step_count = count;
    if (pp_costs_collect(timelines, count, &report->costs, &report->cost_count,
                         error) != 0 ||
        init_ranks(report, measured, error) != 0 ||
        measure_steps(report, metrics, measured, error) != 0 ||
        pp_report_set_memory(report, (struct pp_hold){.forward = 1, .weight = 1},
                             error) != 0)
        goto done;
    fill_peaks(report);
    find_ranges(report);
    size_t ops = pp_schedule_ops(&report->schedule);
    if (ops > PP_JSON_MOST_OPS)
        pp_assign(report->timeline_dropped, sizeof report->timeline_dropped,
                  "the step has %zu ops, and a file holds the timeline of at most %d",
                  ops, PP_JSON_MOST_OPS);
    report->tokens_per_s = rate(report, measured->tokens);
    result = 0;
done:
    for (int i = 0; i < count; i++) {
        pp_timeline_release(&timelines[i]);
        if (metrics)
            pp_metrics_release(&metrics[i]);
    }
    free(metrics);
    return result;
}

void pp_report_release(struct pp_report *report)
{
    json_decref(report->config);
    json_decref(report->generation.sequences);
    pp_timeline_release(&report->timeline);
    pp_schedule_release(&report->schedule);
    pp_metrics_release(&report->metrics);
    free(report->ranks);
    free(report->steps);
    free(report->costs);
    free(report->training.losses);
    free(report->training.rates);
    free(report->training.evaluations);
    *report = (struct pp_report){0};
}

struct pp_least_share pp_least_core_share(const struct pp_report *report)
{
    struct pp_least_share least = {-1, (double)NAN};
    for (int r = 0; r < report->schedule.ranks; r++) {
        double share = report->ranks[r].core_share;
        if (share < least.share || (least.rank < 0 && !isnan(share)))
            least = (struct pp_least_share){r, share};
    }
    return least;
}

bool pp_report_shared_core(const struct pp_report *report)
{
    return pp_least_core_share(report).share < PP_OWN_CORE;
}

int *pp_places_by_rank(const struct pp_schedule *schedule)
{
    size_t held = (size_t)schedule->held;
    size_t cells = (size_t)schedule->ranks * held;
    int *places = malloc((cells + 1) * sizeof *places);
    if (!places)
        return NULL;
    for (size_t i = 0; i < cells; i++)
        places[i] = -1;
    for (int at = 0; at < schedule->copies * schedule->stages; at++)
        places[(size_t)schedule->rank_of[at] * held + (size_t)schedule->chunk_of[at]] =
            at;
    return places;
}

static int config_number(const struct pp_report *report, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(report->config, key));
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

struct pp_message_shape pp_report_message_shape(const struct pp_report *report)
{
    return (struct pp_message_shape){
        .sequences = config_number(report, "microbatch_size"),
        .tokens = config_number(report, "seq_len"),
        .width = config_number(report, "d_model"),
    };
}

double pp_message_shape_bytes(const struct pp_message_shape *shape)
{
    return (double)shape->sequences * shape->tokens * shape->width * sizeof(float);
}

int pp_report_need_timeline(const struct pp_report *report, struct pp_error *error)
{
    if (report->timeline.spans)
        return 0;
    return pp_fail(error, PP_BAD_INPUT, "the report has no timeline: %s",
                   report->timeline_dropped);
}
