#include "predict/layers.h"

#include <math.h>
#include <stdlib.h>

#include "predict/predict.h"
#include "simulate/cost_text.h"

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Sorts the values; 0 of none. */
static double median(double *values, int count)
{
    if (count == 0)
        return 0;
    qsort(values, (size_t)count, sizeof *values, ascending);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* The layers of the report's stages; are they recorded? */
static bool read_split(const struct pp_report *report, int *layers_of)
{
    const json_t *split = json_object_get(report->config, "layer_split");
    size_t stages = (size_t)report->schedule.stages;
    if (json_array_size(split) != stages)
        return false;
    for (size_t s = 0; s < stages; s++) {
        layers_of[s] = (int)json_integer_value(json_array_get(split, s));
        if (layers_of[s] < 1)
            return false;
    }
    return true;
}

/* What a layer costs on the stage's rank, by the rank's stages without embedding and
 * head; 0 where it has none. values: room for all stages. */
static double on_others(const struct pp_layer_costs *costs,
                        const struct pp_schedule *schedule, int stage, int kind,
                        double *values)
{
    int count = 0;
    for (int s = 1; s < costs->stages - 1; s++) {
        if (schedule->rank_of[s] == schedule->rank_of[stage])
            values[count++] = costs->layer[s][kind];
    }
    return median(values, count);
}

/* Takes what a stage has beyond its layers, if they cost so much, out of them. */
static double take_out(struct pp_layer_costs *costs, int stage, int kind, double layer)
{
    double whole = (double)costs->measured.op[stage][kind];
    double beyond = whole - layer * costs->layers_of[stage];
    if (layer <= 0 || beyond <= 0)
        return 0;
    costs->layer[stage][kind] = layer;
    costs->extra[stage][kind] = beyond;
    return beyond;
}

/* slow: [ranks], how much longer a rank was made to take. */
static void find_costs(struct pp_layer_costs *costs, const struct pp_schedule *schedule,
                       const double *slow, int kind, double *values)
{
    int last = costs->stages - 1;
    double first_slow = slow ? slow[schedule->rank_of[0]] : 1;
    double last_slow = slow ? slow[schedule->rank_of[last]] : 1;
    for (int s = 0; s <= last; s++)
        costs->layer[s][kind] =
            (double)costs->measured.op[s][kind] / costs->layers_of[s];
    if (last > 0)
        costs->first[kind] =
            take_out(costs, 0, kind, on_others(costs, schedule, 0, kind, values)) /
            first_slow;
    for (int s = 0; s < last; s++)
        values[s] = costs->layer[s][kind] / (slow ? slow[schedule->rank_of[s]] : 1);
    costs->median[kind] = last > 0 ? median(values, last) : costs->layer[0][kind];
    if (last == 0)
        return;
    double there = on_others(costs, schedule, last, kind, values);
    if (there <= 0)
        there = costs->median[kind] * last_slow;
    costs->last[kind] = take_out(costs, last, kind, there) / last_slow;
}

int pp_layer_costs_init(struct pp_layer_costs *costs, const struct pp_report *report,
                        double message_bytes, struct pp_error *error)
{
    const struct pp_schedule *schedule = &report->schedule;
    const char *text = json_string_value(json_object_get(report->config, "slow"));
    size_t stages = (size_t)schedule->stages;
    double *slow = NULL, *values = calloc(stages, sizeof *values);
    int status = 0;
    *costs = (struct pp_layer_costs){
        .stages = schedule->stages,
        .layers_of = calloc(stages, sizeof *costs->layers_of),
        .layer = calloc(stages, sizeof *costs->layer),
        .extra = calloc(stages, sizeof *costs->extra),
    };
    if (!values || !costs->layers_of || !costs->layer || !costs->extra)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu stages", stages);
    if (status == 0)
        status = pp_costs_from_report(&costs->measured, report, schedule, message_bytes,
                                      error);
    if (status == 0 && text)
        status = pp_slow_text(text, schedule->ranks, &slow, error);
    costs->known = status == 0 && costs->measured.classes == 1 &&
                   read_split(report, costs->layers_of);
    for (int kind = 0; kind < PP_KINDS && costs->known; kind++)
        find_costs(costs, schedule, slow, kind, values);
    free(slow);
    free(values);
    return status;
}

void pp_layer_costs_release(struct pp_layer_costs *costs)
{
    free(costs->layers_of);
    free(costs->layer);
    free(costs->extra);
    pp_costs_release(&costs->measured);
    *costs = (struct pp_layer_costs){0};
}

/* What a layer costs on the stage, and what the stage takes beyond its layers. */
static double layer_on(const struct pp_layer_costs *costs, int stages, int stage,
                       int kind, double *extra)
{
    if (stages == costs->stages) {
        *extra = costs->extra[stage][kind];
        return costs->layer[stage][kind];
    }
    *extra = (stage == 0 ? costs->first[kind] : 0) +
             (stage == stages - 1 ? costs->last[kind] : 0);
    return costs->median[kind];
}

void pp_layer_costs_spread(const struct pp_layer_costs *layer, const int *layers_of,
                           struct pp_costs *costs)
{
    for (int s = 0; s < costs->stages; s++) {
        for (int kind = 0; kind < PP_KINDS; kind++) {
            double extra, one = layer_on(layer, costs->stages, s, kind, &extra);
            costs->op[s][kind] = pp_nanoseconds(one * layers_of[s] + extra);
        }
    }
    costs->near = layer->measured.near;
    costs->far = layer->measured.far;
    costs->message_bytes = layer->measured.message_bytes;
}

void pp_layer_costs_work(const struct pp_layer_costs *layer, int stages,
                         const int *rank_of, const double *slow,
                         struct pp_stage_work *work)
{
    for (int s = 0; s < stages; s++) {
        double times = slow ? slow[rank_of[s]] : 1, forward, backward;
        double one = layer_on(layer, stages, s, PP_F, &forward) +
                     layer_on(layer, stages, s, PP_B, &backward);
        work[s] = (struct pp_stage_work){
            .rank = rank_of[s],
            .layer = times * one,
            .extra = times * (forward + backward),
        };
    }
}
