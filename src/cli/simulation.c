#include "cli/simulation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/predict.h"
#include "model/partition.h"
#include "simulate/cost_text.h"
#include "simulate/simulate.h"
#include "version.h"

static const char default_cost[] = "f=1,b=2";

/* What a stage's op moves: its weights once, and what enters, stays and leaves. */
static double bytes_of(const struct pp_model_config *model, int layers, bool head)
{
    double C = model->d_model, tokens = (double)model->microbatch_size * model->seq_len;
    double weights = 12 * C * C * layers + (head ? C * model->vocab : 0);
    double activations = 16 * C * tokens * layers + (head ? tokens * model->vocab : 0);
    return sizeof(float) * (weights + activations);
}

/* --device: each stage's work, from the model's split over the stages. */
static int costs_of_device(struct pp_costs *costs, const struct pp_options *options,
                           struct pp_plan *plan, struct pp_error *error)
{
    struct pp_device device;
    const struct pp_model_config *model = &plan->model;
    int stages = plan->schedule.stages;
    if (pp_plan_model(plan, options, error) != 0 ||
        pp_device_text(options->device, &device, error) != 0)
        return -1;
    struct pp_work *work = calloc((size_t)stages, sizeof *work);
    if (!work)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages", stages);
    for (int s = 0; s < stages; s++) {
        bool head = s == stages - 1;
        struct pp_flops flops = pp_stage_flops(model, plan->layers_of[s], head);
        work[s] = (struct pp_work){
            .forward = flops.forward,
            .input = flops.input,
            .weight = flops.weight,
            .bytes = bytes_of(model, plan->layers_of[s], head),
        };
    }
    pp_costs_derive(costs, &device, work);
    free(work);
    return 0;
}

static bool asks_for_split(const struct pp_options *options)
{
    return strcmp(options->layer_split, "even") != 0;
}

/* Measured costs are those of the split that they were measured on. */
static int check_split(const struct pp_report *report, const struct pp_options *options,
                       struct pp_plan *plan, struct pp_error *error)
{
    const json_t *split = json_object_get(report->config, "layer_split");
    size_t index;
    const json_t *layers;
    if (!asks_for_split(options))
        return 0;
    if (pp_plan_model(plan, options, error) != 0)
        return -1;
    json_array_foreach((json_t *)split, index, layers)
    {
        if (index < (size_t)plan->schedule.stages &&
            json_integer_value(layers) != plan->layers_of[index])
            return pp_fail(error, PP_BAD_INPUT,
                           "'--layer-split' %s: '%s' was measured on another, whose "
                           "stage %zu has %lld layers",
                           options->layer_split, options->costs, index,
                           (long long)json_integer_value(layers));
    }
    return 0;
}

static int costs_of_report(struct pp_costs *costs, const struct pp_options *options,
                           struct pp_plan *plan, double message_bytes,
                           struct pp_error *error)
{
    struct pp_report report = {0};
    int status = pp_report_read_json(&report, options->costs, error);
    if (status == 0)
        status = check_split(&report, options, plan, error);
    if (status == 0) {
        pp_costs_release(costs);
        status =
            pp_costs_from_report(costs, &report, &plan->schedule, message_bytes, error);
    }
    pp_report_release(&report);
    return status;
}

/* The cost model from the options: where op times come from, then the hops and what
 * disturbs them. */
static int set_costs(struct pp_costs *costs, const struct pp_options *options,
                     struct pp_plan *plan, struct pp_error *error)
{
    struct pp_model_config model = pp_model_of(options);
    double message_bytes = pp_message_bytes(&model);
    int sources = !!options->cost + !!options->costs + !!options->device;
    int status;
    if (sources > 1)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--cost', '--costs' and '--device' each say what ops take: give "
            "one of them");
    if (asks_for_split(options) && !options->costs && !options->device &&
        !options->really_run)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--layer-split' needs '--device' or '--costs': '--cost' is of "
                       "stages, whatever their layers");
    if (pp_costs_init(costs, plan->schedule.stages, error) != 0)
        return -1;
    if (options->costs)
        status = costs_of_report(costs, options, plan, message_bytes, error);
    else if (options->device)
        status = costs_of_device(costs, options, plan, error);
    else
        status =
            pp_cost_text(options->cost ? options->cost : default_cost, costs, error);
    costs->message_bytes = message_bytes;
    costs->seed = (uint64_t)options->seed;
    if (status == 0 && options->link)
        status = pp_link_text("--link", options->link, &costs->near, error);
    costs->far = costs->near;
    costs->ranks_per_node = options->ranks_per_node;
    if (status == 0 && options->far_link && options->ranks_per_node == 0)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--far-link' needs '--ranks-per-node': where the near link ends");
    if (status == 0 && options->far_link)
        status = pp_link_text("--far-link", options->far_link, &costs->far, error);
    if (status == 0 && options->slow)
        status = pp_slow_text(options->slow, plan->schedule.ranks, costs, error);
    if (status == 0 && options->jitter)
        status = pp_jitter_text(options->jitter, costs, error);
    return status;
}

/* Simulates the steps; noise differs from one to the next, without it one is all. */
static int simulate(struct pp_report *report, struct pp_plan *plan,
                    const struct pp_costs *costs, int steps, double tokens,
                    struct pp_error *error)
{
    size_t count = (size_t)steps;
    struct pp_timeline *timelines = calloc(count, sizeof *timelines);
    int *numbers = calloc(count, sizeof *numbers);
    int made = 0, status = 0;
    if (!timelines || !numbers)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d steps", steps);
    for (int i = 0; i < steps && status == 0; i++) {
        numbers[i] = i + 1;
        status = pp_timeline_init(&timelines[i], &plan->schedule, error);
        made += status == 0;
        if (status == 0)
            status = pp_simulate(&plan->schedule, costs, i + 1, &timelines[i], error);
    }
    if (status == 0) {
        made = 0;
        status = pp_report_measure(report, &plan->schedule, timelines, numbers, NULL,
                                   steps, tokens, error);
    }
    for (int i = 0; i < made; i++)
        pp_timeline_release(&timelines[i]);
    free(timelines);
    free(numbers);
    return status;
}

static int make_report(struct pp_report *report, const struct pp_options *options,
                       struct pp_plan *plan, const struct pp_costs *costs,
                       struct pp_error *error)
{
    struct pp_equal_costs equal;
    int steps = costs->jitter > 0 ? options->steps : 1;
    double tokens = (double)plan->schedule.microbatches * options->microbatch_size *
                    options->seq_len;
    json_t *config = pp_plan_config(plan, options);
    bool are_equal = pp_costs_equal(costs, &plan->schedule, &equal);
    int status = simulate(report, plan, costs, steps, tokens, error);
    report->config = config;
    if (status != 0)
        return -1;
    snprintf(report->command, sizeof report->command, "simulate");
    snprintf(report->version, sizeof report->version, "%s", PP_VERSION);
    snprintf(report->environment.clock, sizeof report->environment.clock, "simulated");
    report->link_latency_s = (double)costs->near.latency * 1e-9;
    report->link_bandwidth = costs->near.bandwidth;
    pp_set_theory(report, plan, &equal,
                  are_equal ? NULL : "closed forms are for equal, undisturbed costs");
    return 0;
}

/* A whole rank's costs on each of its stages would be that many times too much. */
static void scale_costs(struct pp_costs *costs, double scale)
{
    for (int s = 0; s < costs->stages; s++) {
        for (int kind = 0; kind < PP_KINDS; kind++)
            costs->op[s][kind] = pp_nanoseconds(scale * (double)costs->op[s][kind]);
    }
}

int pp_simulation(struct pp_report *report, struct pp_plan *plan,
                  const struct pp_options *options, double scale,
                  struct pp_error *error)
{
    struct pp_costs costs = {0};
    int status = set_costs(&costs, options, plan, error);
    if (status == 0 && !options->costs && !options->device)
        scale_costs(&costs, scale);
    if (status == 0)
        status = make_report(report, options, plan, &costs, error);
    pp_costs_release(&costs);
    return status;
}
