#include "report/metric.h"

#include <math.h>
#include <string.h>

#include "report/numbers.h"

static double share_of(const struct pp_report *report, int64_t ns)
{
    const struct pp_metrics *metrics = &report->metrics;
    return (double)ns / ((double)metrics->ranks * (double)metrics->makespan);
}

static double bubble(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->metrics.bubble.fraction;
}

static double step_bubble(const struct pp_report *report, const struct pp_step *step)
{
    (void)report;
    return step->bubble;
}

static double over_ideal(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->metrics.bubble.over_ideal;
}

/* idle / busy, where idle / (idle + busy) is known. */
static double step_over_ideal(const struct pp_report *report,
                              const struct pp_step *step)
{
    (void)report;
    return step->bubble / (1 - step->bubble);
}

static double span(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->metrics.bubble.span_fraction;
}

static double makespan(const struct pp_report *report, int rank)
{
    (void)rank;
    return (double)report->metrics.makespan;
}

static double step_makespan(const struct pp_report *report, const struct pp_step *step)
{
    (void)report;
    return (double)step->makespan;
}

static double tokens_per_s(const struct pp_report *report, int rank)
{
    (void)rank;
    return report->tokens_per_s;
}

static double step_tokens_per_s(const struct pp_report *report,
                                const struct pp_step *step)
{
    double median = (double)pp_median_whole(report->steps, report->step_count);
    return report->tokens_per_s * median / (double)step->whole;
}

static double warmup(const struct pp_report *report, int rank)
{
    (void)rank;
    return share_of(report, report->metrics.causes.warmup);
}

static double dependency(const struct pp_report *report, int rank)
{
    (void)rank;
    return share_of(report, report->metrics.causes.dependency);
}

static double communication(const struct pp_report *report, int rank)
{
    (void)rank;
    return share_of(report, report->metrics.causes.communication);
}

static double overhead(const struct pp_report *report, int rank)
{
    (void)rank;
    return share_of(report, report->metrics.causes.overhead);
}

static double cooldown(const struct pp_report *report, int rank)
{
    (void)rank;
    return share_of(report, report->metrics.causes.cooldown);
}

static double peak_in_flight(const struct pp_report *report, int rank)
{
    return report->ranks[rank].peak_in_flight;
}

/* No op runs without activations: 0 says that nobody counted them. */
static double peak_activation_bytes(const struct pp_report *report, int rank)
{
    int64_t bytes = report->ranks[rank].peak_activation_bytes;
    return bytes > 0 ? (double)bytes : (double)NAN;
}

static double loss(const struct pp_report *report, int rank)
{
    const struct pp_report_training *training = &report->training;
    (void)rank;
    return training->loss_count > 0 ? training->losses[training->loss_count - 1]
                                    : (double)NAN;
}

static double predicted_error(const struct pp_report *report, int rank)
{
    (void)rank;
    return fabs(report->metrics.bubble.fraction - report->predicted);
}

static double step_predicted_error(const struct pp_report *report,
                                   const struct pp_step *step)
{
    return fabs(step->bubble - report->predicted);
}

static double theory_error(const struct pp_report *report, int rank)
{
    (void)rank;
    return fabs(report->metrics.bubble.fraction - report->theory);
}

static double step_theory_error(const struct pp_report *report,
                                const struct pp_step *step)
{
    return fabs(step->bubble - report->theory);
}

static const char *no_time(const struct pp_report *report)
{
    (void)report;
    return "the step took no time";
}

static const char *no_tokens(const struct pp_report *report)
{
    (void)report;
    return "the tokens of a step, or its time, are not known";
}

static const char *no_peak(const struct pp_report *report)
{
    (void)report;
    return "the report does not hold the peak";
}

static const char *no_bytes(const struct pp_report *report)
{
    (void)report;
    return "a simulation holds no activations: 'peak_in_flight' counts them";
}

static const char *no_loss(const struct pp_report *report)
{
    (void)report;
    return "a simulation trains nothing";
}

static const char *no_prediction(const struct pp_report *report)
{
    (void)report;
    return "only runs are predicted";
}

static const char *no_theory(const struct pp_report *report)
{
    return report->theory_note[0] ? report->theory_note : "there is no closed form";
}

/* clang-format off */
const struct pp_metric pp_metrics_table[] = {
    {"bubble", "fraction", PP_SHARE, true, false, false, bubble, step_bubble, no_time},
    {"over_ideal", NULL, PP_SHARE, true, false, false, over_ideal, step_over_ideal,
     no_time},
    {"span", "span_fraction", PP_SHARE, true, false, false, span, NULL, no_time},
    {"makespan", "makespan_s", PP_TIME, true, false, false, makespan, step_makespan,
     no_time},
    {"tokens_per_s", NULL, PP_COUNT, true, false, true, tokens_per_s,
     step_tokens_per_s, no_tokens},
    {"warmup", NULL, PP_SHARE, true, false, false, warmup, NULL, no_time},
    {"dependency", NULL, PP_SHARE, true, false, false, dependency, NULL, no_time},
    {"communication", NULL, PP_SHARE, true, false, false, communication, NULL, no_time},
    {"overhead", NULL, PP_SHARE, true, false, false, overhead, NULL, no_time},
    {"cooldown", NULL, PP_SHARE, true, false, false, cooldown, NULL, no_time},
    {"peak_in_flight", NULL, PP_COUNT, false, true, false, peak_in_flight, NULL,
     no_peak},
    {"peak_activation_bytes", NULL, PP_BYTES, false, true, false,
     peak_activation_bytes, NULL, no_bytes},
    {"loss", NULL, PP_COUNT, false, false, false, loss, NULL, no_loss},
    {"predicted_error", NULL, PP_SHARE, true, false, false, predicted_error,
     step_predicted_error, no_prediction},
    {"theory_error", NULL, PP_SHARE, true, false, false, theory_error,
     step_theory_error, no_theory},
    {NULL, NULL, PP_SHARE, false, false, false, NULL, NULL, NULL},
};
/* clang-format on */

static bool is_name(const char *name, const char *text, size_t length)
{
    return name && strlen(name) == length && strncmp(name, text, length) == 0;
}

const struct pp_metric *pp_metric_find(const char *name, size_t length)
{
    for (const struct pp_metric *metric = pp_metrics_table; metric->name; metric++) {
        if (is_name(metric->name, name, length) || is_name(metric->alias, name, length))
            return metric;
    }
    return NULL;
}

/* The most of any rank; unknown if it is of one. */
static double value_of(struct pp_metric_of of, const struct pp_report *report)
{
    int from = of.rank >= 0 ? of.rank : 0;
    int to = of.rank < 0 && of.metric->of_ranks ? report->schedule.ranks : from + 1;
    double most = -INFINITY;
    for (int r = from; r < to; r++) {
        double value = of.metric->value(report, r);
        if (!isfinite(value))
            return NAN;
        most = fmax(most, value);
    }
    return most;
}

struct pp_figure pp_metric_figure(struct pp_metric_of of,
                                  const struct pp_report *report)
{
    const struct pp_metric *metric = of.metric;
    struct pp_figure figure = {value_of(of, report), NAN, NAN, report->step_count};
    bool noiseless =
        strcmp(report->environment.clock, "simulated") == 0 && report->step_count == 1;
    if (!metric->timed || noiseless) {
        figure.min = figure.max = figure.value;
        figure.steps = 1;
    } else if (metric->of_step && report->step_count > 1) {
        for (int i = 0; i < report->step_count; i++) {
            double value = metric->of_step(report, &report->steps[i]);
            figure.min = fmin(figure.min, value);
            figure.max = fmax(figure.max, value);
        }
    }
    return figure;
}

const struct pp_scale *pp_scales(enum pp_dimension dimension)
{
    static const struct pp_scale shares[] = {{"", 1, 1}, {"%", 1, 100}, {NULL, 0, 0}};
    static const struct pp_scale times[] = {{"", 1e9, 1},   {"s", 1e9, 1},
                                            {"ms", 1e6, 1}, {"us", 1e3, 1},
                                            {"ns", 1, 1},   {NULL, 0, 0}};
    static const struct pp_scale bytes[] = {
        {"", 1, 1},         {"B", 1, 1},        {"kB", 1e3, 1},
        {"MB", 1e6, 1},     {"GB", 1e9, 1},     {"KiB", 0x1p10, 1},
        {"MiB", 0x1p20, 1}, {"GiB", 0x1p30, 1}, {NULL, 0, 0}};
    static const struct pp_scale counts[] = {{"", 1, 1}, {NULL, 0, 0}};
    static const struct pp_scale *const all[] = {[PP_SHARE] = shares,
                                                 [PP_TIME] = times,
                                                 [PP_BYTES] = bytes,
                                                 [PP_COUNT] = counts};
    return all[dimension];
}

char *pp_metric_name(struct pp_metric_of of, char buffer[PP_METRIC_TEXT])
{
    if (of.rank >= 0)
        snprintf(buffer, PP_METRIC_TEXT, "%s[%d]", of.metric->name, of.rank);
    else
        snprintf(buffer, PP_METRIC_TEXT, "%s", of.metric->name);
    return buffer;
}

char *pp_metric_text(enum pp_dimension dimension, double value, bool exact,
                     char buffer[PP_METRIC_TEXT])
{
    char text[PP_REAL_TEXT];
    if (!isfinite(value))
        snprintf(buffer, PP_METRIC_TEXT, "unknown");
    else if (dimension == PP_TIME && exact)
        snprintf(buffer, PP_METRIC_TEXT, "%.6f ms", value * 1e-6);
    else if (dimension == PP_TIME)
        snprintf(buffer, PP_METRIC_TEXT, "%s", pp_duration_text(value, text));
    else if (dimension == PP_BYTES && !exact && value >= 0x1p20)
        snprintf(buffer, PP_METRIC_TEXT, "%.2f MiB", value / 0x1p20);
    else if (dimension == PP_BYTES)
        snprintf(buffer, PP_METRIC_TEXT, "%.0f B", value);
    else if (exact)
        snprintf(buffer, PP_METRIC_TEXT, "%s", pp_real_text(value, text));
    else
        snprintf(buffer, PP_METRIC_TEXT, dimension == PP_SHARE ? "%.4f" : "%.6g",
                 value);
    return buffer;
}

char *pp_range_text(enum pp_dimension dimension, const struct pp_figure *figure,
                    char buffer[PP_RANGE_TEXT])
{
    char min[PP_METRIC_TEXT], max[PP_METRIC_TEXT];
    buffer[0] = '\0';
    if (figure->steps > 1 && isfinite(figure->min))
        snprintf(buffer, PP_RANGE_TEXT, "%s to %s over %d steps",
                 pp_metric_text(dimension, figure->min, false, min),
                 pp_metric_text(dimension, figure->max, false, max), figure->steps);
    return buffer;
}
