#include "predict/whatif.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/words.h"
#include "model/partition.h"
#include "predict/predict.h"
#include "simulate/simulate.h"
#include "timeline/critical.h"

static int config_number(const struct pp_report *report, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(report->config, key));
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

/* The report's own split, [stages]; false if it is not recorded, or even. */
static bool read_split(const struct pp_report *report, const int *even, int *layers_of)
{
    const json_t *split = json_object_get(report->config, "layer_split");
    size_t stages = (size_t)report->schedule.stages;
    bool uneven = false;
    if (json_array_size(split) != stages)
        return false;
    for (size_t s = 0; s < stages; s++) {
        layers_of[s] = (int)json_integer_value(json_array_get(split, s));
        uneven |= layers_of[s] != even[s];
    }
    return uneven;
}

/* Turns the costs with one split of the layers into those with another. */
static void respread(struct pp_costs *costs, const int *from, const int *to)
{
    int last = costs->stages - 1;
    for (int kind = 0; kind < PP_KINDS; kind++) {
        double sum = 0, layers = 0;
        for (int s = 0; s < last; s++) {
            sum += (double)costs->op[s][kind];
            layers += from[s];
        }
        double layer = sum / layers;
        double head = (double)costs->op[last][kind] - layer * from[last];
        for (int s = 0; s <= last; s++)
            costs->op[s][kind] =
                pp_nanoseconds(layer * to[s] + (s == last && head > 0 ? head : 0));
    }
}

/* The size of a message, from the model's sizes in the report's config. */
static double message_bytes(const struct pp_report *report)
{
    const struct pp_model_config model = {
        .d_model = config_number(report, "d_model"),
        .seq_len = config_number(report, "seq_len"),
        .microbatch_size = config_number(report, "microbatch_size"),
    };
    return pp_message_bytes(&model);
}

int pp_predict_timeline(const struct pp_report *report, struct pp_timeline *timeline,
                        struct pp_error *error)
{
    struct pp_costs costs = {0};
    int status = pp_costs_from_report(&costs, report, &report->schedule,
                                      message_bytes(report), error);
    if (status == 0)
        status = pp_timeline_init(timeline, &report->schedule, error);
    if (status == 0)
        status = pp_simulate(&report->schedule, &costs, 0, timeline, error);
    pp_costs_release(&costs);
    return status;
}

/* Ops of one stage and kind, and how much of the critical path they are. */
struct candidate {
    int64_t share;
    int stage;
    enum pp_kind kind;
};

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->share != b->share)
        return a->share < b->share ? 1 : -1;
    return a->stage != b->stage ? a->stage - b->stage : (int)a->kind - (int)b->kind;
}

/* Lists those on the critical path, the largest share first. Returns how many, or -1.
 */
static int list_candidates(const struct pp_report *report, struct candidate *list,
                           struct pp_error *error)
{
    struct pp_producers producers;
    struct pp_critical critical;
    int count = 0;
    if (pp_report_need_timeline(report, error) != 0 ||
        pp_producers_init(&producers, &report->schedule, error) != 0)
        return -1;
    int status = pp_critical_init(&critical, &report->timeline, &report->metrics,
                                  &producers, error);
    for (int s = 0; s < report->schedule.stages && status == 0; s++) {
        for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
            if (critical.of_stage[s][kind] > 0)
                list[count++] = (struct candidate){critical.of_stage[s][kind], s, kind};
        }
    }
    pp_critical_release(&critical);
    pp_producers_release(&producers);
    qsort(list, (size_t)count, sizeof *list, compare_candidates);
    return status == 0 ? count : -1;
}

/* The makespan with the candidate's ops a tenth faster, in s. */
static int predict_faster(const struct pp_report *report, struct pp_costs *costs,
                          const struct candidate *candidate, double *makespan_s,
                          struct pp_error *error)
{
    int64_t *cost = &costs->op[candidate->stage][candidate->kind], before = *cost;
    double bubble;
    *cost = pp_nanoseconds(0.9 * (double)before);
    int status = pp_predict(&report->schedule, costs, &bubble, makespan_s, error);
    *cost = before;
    return status;
}

int pp_predict_speedup(const struct pp_report *report, struct pp_speedup *speedup,
                       struct pp_error *error)
{
    const double most_ops = 5e7; /* simulated in a second or two */
    const double alike = 0.05;
    size_t kinds = (size_t)report->schedule.stages * PP_KINDS;
    struct candidate *list = calloc(kinds, sizeof *list);
    struct pp_costs costs = {0};
    double base_s, faster_s, bubble, own_s = (double)report->metrics.makespan / 1e9;
    double ops = (double)pp_schedule_ops(&report->schedule);
    *speedup = (struct pp_speedup){0};
    if (!list)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu kinds of ops",
                       kinds);
    int count = list_candidates(report, list, error);
    int status = count < 0 ? -1
                           : pp_costs_from_report(&costs, report, &report->schedule,
                                                  message_bytes(report), error);
    if (status == 0)
        status = pp_predict(&report->schedule, &costs, &bubble, &base_s, error);
    bool run = isfinite(report->predicted_makespan_s);
    if (status == 0)
        speedup->known = run || fabs(base_s - own_s) <= alike * own_s;
    for (int i = 0; i < count && status == 0 && speedup->known; i++) {
        if (i > 0 && (i + 1) * ops > most_ops)
            break;
        status = predict_faster(report, &costs, &list[i], &faster_s, error);
        if (status == 0 && base_s - faster_s > speedup->saves_s) {
            speedup->stage = list[i].stage;
            speedup->kind = list[i].kind;
            speedup->saves_s = base_s - faster_s;
        }
    }
    pp_costs_release(&costs);
    free(list);
    return status;
}

int pp_predict_even_split(const struct pp_report *report, struct pp_even_split *even,
                          struct pp_error *error)
{
    int stages = report->schedule.stages;
    const struct pp_model_config model = {.layers = config_number(report, "layers")};
    int *from = calloc((size_t)stages, sizeof *from);
    int *to = calloc((size_t)stages, sizeof *to);
    struct pp_costs costs = {0};
    int status = 0;
    *even = (struct pp_even_split){0};
    if (!from || !to)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages", stages);
    else if (stages > 1 && model.layers >= stages &&
             pp_partition(&model, "even", stages, to, error) == 0 &&
             read_split(report, to, from)) {
        status = pp_costs_from_report(&costs, report, &report->schedule,
                                      message_bytes(report), error);
        if (status == 0) {
            respread(&costs, from, to);
            status = pp_predict(&report->schedule, &costs, &even->bubble,
                                &even->makespan_s, error);
        }
        for (int s = 0; s < stages; s++)
            pp_append(even->split, sizeof even->split, "%s%d", s > 0 ? "," : "", to[s]);
        even->known = status == 0;
    }
    pp_costs_release(&costs);
    free(from);
    free(to);
    return status;
}
