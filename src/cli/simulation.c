#include "cli/simulation.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "cli/simulation_memory.h"
#include "model/partition.h"
#include "predict/predict.h"
#include "report/export/json.h"
#include "simulate/cost_text.h"
#include "simulate/device.h"
#include "simulate/simulate.h"
#include "version.h"

static const char default_cost[] = "f=1,b=2";

/* Where the options say nothing of what ops take. */
static const char *default_cost_of(const struct pp_schedule *schedule)
{
    return pp_decodes(schedule) ? "f=1" : default_cost;
}

static bool is_null(const json_t *config, const char *key)
{
    const json_t *value = json_object_get(config, key);
    return !value || json_is_null(value);
}

bool pp_simulation_implies(const json_t *config, const char *key, const json_t *value,
                           const char **change)
{
    const char *text = json_string_value(value);
    if (strcmp(key, "cost") != 0 || !text || strcmp(text, default_cost) != 0 ||
        !is_null(config, "costs") || !is_null(config, "device"))
        return false;
    if (json_integer_value(json_object_get(config, "stages")) !=
        json_integer_value(json_object_get(config, "ranks")))
        *change = "each stage took that then, now the stages of a rank share it";
    return true;
}

/* The bytes that an op of the stage reads and writes: its weights once, and its input,
 * kept activations and output. */
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
    if (pp_plan_model(plan, options, NULL, error) != 0 ||
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

/* As measured: the same stages with the same layers, where the report knows of layers.
 */
static int take_costs(struct pp_costs *costs, const struct pp_report *report,
                      const struct pp_layer_costs *layers,
                      const struct pp_options *options, struct pp_plan *plan,
                      struct pp_error *error)
{
    int stages = plan->schedule.stages;
    if (pp_costs_from_report(costs, report, &plan->schedule,
                             layers->measured.message_bytes, error) != 0)
        return -1;
    if (!layers->known)
        return 0;
    if (pp_plan_model(plan, options, layers, error) != 0)
        return -1;
    for (int s = 0; s < stages; s++)
        plan->layers_of[s] = layers->layers_of[s];
    return 0;
}

/* Another split than was measured: by what a layer costs. */
static int respread_costs(struct pp_costs *costs, const struct pp_layer_costs *layers,
                          const struct pp_options *options, struct pp_plan *plan,
                          struct pp_error *error)
{
    int stages = plan->schedule.stages;
    if (!layers->known)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--costs', '%s': the report has costs of %d stages, and does not "
            "say how many layers they have: only these stages can be "
            "simulated",
            options->costs, layers->stages);
    if (layers->stages == 1 && stages > 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--costs', '%s': its one stage does not tell the layers' costs "
                       "from the head's: measure with two stages or more",
                       options->costs);
    if (pp_plan_model(plan, options, layers, error) != 0 ||
        pp_costs_init(costs, stages, error) != 0)
        return -1;
    pp_layer_costs_spread(layers, plan->layers_of, costs);
    return 0;
}

/* As many sequences in a group as were measured most often, unless the options say it:
 * what one row took says nothing of four. */
static void take_rows(struct pp_options *options, struct pp_plan *plan,
                      const struct pp_report *report)
{
    const struct pp_cost *most = NULL;
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        if (strcmp(cost->of_class.label, pp_decode) == 0 &&
            (!most || cost->count > most->count))
            most = cost;
    }
    if (!most || !plan->row || pp_options_given(options, "microbatch-size"))
        return;
    options->microbatch_size = most->of_class.rows;
    for (int c = 0; c < plan->schedule.class_count; c++) {
        struct pp_class *of_class = &plan->schedule.classes[c];
        of_class->rows = strcmp(of_class->label, pp_decode) == 0
                             ? options->microbatch_size
                             : pp_plan_prompt_rows(options);
    }
}

/* What generating took, by class. Of the model only the width counts; sequences and
 * prompts may be others than were measured. */
static int take_classes(struct pp_costs *costs, const struct pp_report *report,
                        struct pp_options *options, struct pp_plan *plan,
                        struct pp_error *error)
{
    json_int_t width = json_integer_value(json_object_get(report->config, "d_model"));
    if (!pp_options_given(options, "d-model") && width > 0 && width <= INT_MAX)
        options->d_model = (int)width;
    take_rows(options, plan, report);
    struct pp_model_config model = pp_model_of(options);
    struct pp_error problem = {0};
    pp_costs_release(costs);
    if (pp_costs_from_report(costs, report, &plan->schedule, pp_row_bytes(&model),
                             &problem) == 0)
        return 0;
    return pp_fail(error, problem.status, "'--costs', '%s': %s", options->costs,
                   problem.text);
}

/* --costs: what a run measured, and the model that it measured. */
static int costs_of_report(struct pp_costs *costs, struct pp_options *options,
                           struct pp_plan *plan, struct pp_error *error)
{
    struct pp_report report = {0};
    struct pp_layer_costs layers = {0};
    int status = pp_report_read_json(&report, options->costs, error);
    bool decodes = pp_decodes(&plan->schedule);
    if (status == 0 && !decodes && pp_decodes(&report.schedule))
        status = pp_fail(error, PP_BAD_INPUT,
                         "'--costs' '%s' has what generating took, and no backward: "
                         "give '--schedule' decode",
                         options->costs);
    if (status == 0 && !decodes)
        status = pp_options_take_sizes(options, report.config, options->costs, error);
    enum pp_recompute measured =
        status == 0 ? pp_report_recompute(&report) : PP_RECOMPUTE_NONE;
    if (!pp_options_given(options, "recompute"))
        options->recompute = measured;
    if (status == 0) {
        pp_options_take(options, report.config, "optimizer");
        pp_options_take(options, report.config, "untied");
    }
    if (status == 0 && decodes) {
        status = take_classes(costs, &report, options, plan, error);
    } else if (status == 0) {
        struct pp_model_config model = pp_model_of(options);
        pp_costs_release(costs);
        status = pp_layer_costs_init(&layers, &report, pp_message_bytes(&model), error);
        if (status != 0) {
            struct pp_error problem = *error;
            pp_fail(error, problem.status, "'--costs', '%s': %s", options->costs,
                    problem.text);
        }
        if (status == 0 && plan->schedule.stages == layers.stages &&
            !pp_options_given(options, "layer-split"))
            status = take_costs(costs, &report, &layers, options, plan, error);
        else if (status == 0)
            status = respread_costs(costs, &layers, options, plan, error);
    }
    if (status == 0)
        pp_costs_recompute(costs, (options->recompute != PP_RECOMPUTE_NONE) -
                                      (measured != PP_RECOMPUTE_NONE));
    pp_layer_costs_release(&layers);
    pp_report_release(&report);
    return status;
}

/* --link replaces what --cost or --costs say of messages. */
static int set_link(struct pp_costs *costs, const struct pp_options *options,
                    struct pp_error *error)
{
    int64_t latency = costs->near.latency;
    costs->near.latency = -1; /* not given */
    if (pp_link_text("link", options->link, &costs->near, error) != 0)
        return -1;
    if (costs->near.latency < 0)
        costs->near.latency = latency;
    else if (options->cost && latency > 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'comm' of '--cost' and 'latency' of '--link' are the same: "
                       "give only one of them");
    return 0;
}

/* What is known of training alone. */
static int check_decoding(const struct pp_options *options, struct pp_error *error)
{
    if (options->device)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--device' knows what training's ops do: of a schedule that "
                       "decodes give '--cost', or what a run measured as '--costs'");
    if (options->recompute != PP_RECOMPUTE_NONE)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--recompute': a schedule that decodes has no backwards that "
                       "could compute again: leave it out");
    return 0;
}

/* The cost model from the options: first what ops take, then what messages take, then
 * slow ranks and noise. */
int pp_simulation_costs(struct pp_costs *costs, struct pp_options *options,
                        struct pp_plan *plan, struct pp_error *error)
{
    int sources = !!options->cost + !!options->costs + !!options->device;
    int status;
    if (sources > 1)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--cost', '--costs' and '--device' each set what ops take: give "
            "only one of them");
    if (asks_for_split(options) && !options->costs && !options->device &&
        !options->really_run)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--layer-split' needs '--device' or '--costs': '--cost' gives "
                       "the cost of a stage, however many layers it has");
    bool decodes = pp_decodes(&plan->schedule);
    if (decodes && check_decoding(options, error) != 0)
        return -1;
    if (pp_costs_init(costs, plan->schedule.stages, error) != 0)
        return -1;
    if (options->costs)
        status = costs_of_report(costs, options, plan, error);
    else if (options->device)
        status = costs_of_device(costs, options, plan, error);
    else
        status = pp_cost_text(options->cost ? options->cost
                                            : default_cost_of(&plan->schedule),
                              &plan->schedule, 1, costs, error);
    if (status == 0 && !options->costs && options->recompute != PP_RECOMPUTE_NONE)
        pp_costs_recompute(costs, 1);
    struct pp_model_config model = pp_model_of(options);
    costs->message_bytes = decodes ? pp_row_bytes(&model) : pp_message_bytes(&model);
    costs->seed = (uint64_t)options->seed;
    if (status == 0 && options->link)
        status = set_link(costs, options, error);
    costs->far = costs->near;
    costs->ranks_per_node = options->ranks_per_node;
    if (status == 0 && options->far_link)
        status = pp_link_text("far-link", options->far_link, &costs->far, error);
    if (status == 0 && options->slow)
        status = pp_slow_text(options->slow, plan->schedule.ranks, &costs->slow, error);
    if (status == 0 && options->jitter)
        status = pp_jitter_text(options->jitter, costs, error);
    return status;
}

/* Simulates the steps, which differ by their noise. */
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
        const struct pp_measured measured = {&plan->schedule, timelines, numbers, NULL,
                                             steps,           tokens};
        made = 0;
        status = pp_report_measure(report, &measured, error);
    }
    if (status == 0 && report->metrics.makespan == 0)
        status = pp_fail(error, PP_BAD_INPUT,
                         "all op costs are zero: at least one op must take time");
    for (int i = 0; i < made; i++)
        pp_timeline_release(&timelines[i]);
    free(timelines);
    free(numbers);
    return status;
}

/* Tokens that a step learns from; in decoding, that it generates. */
static double tokens_of(const struct pp_schedule *schedule,
                        const struct pp_options *options)
{
    double tokens = 0;
    if (!pp_decodes(schedule))
        return (double)schedule->microbatches * options->microbatch_size *
               options->seq_len;
    for (int i = 0; i < schedule->microbatches; i++) {
        const struct pp_class *of_class = pp_class_of(schedule, (uint32_t)i);
        tokens += strcmp(of_class->label, pp_decode) == 0 ? of_class->rows : 0;
    }
    return tokens;
}

static int make_report(struct pp_report *report, const struct pp_options *options,
                       struct pp_plan *plan, const struct pp_costs *costs,
                       struct pp_error *error)
{
    struct pp_equal_costs equal;
    int steps = costs->jitter > 0 ? options->steps : 1;
    bool made_up = !options->costs && !options->device; /* and so of no model */
    double tokens = made_up ? 0 : tokens_of(&plan->schedule, options);
    const char *cost = default_cost_of(&plan->schedule);
    json_t *config = pp_plan_config(plan, options);
    bool are_equal = pp_costs_equal(costs, &plan->schedule, &equal);
    int status = simulate(report, plan, costs, steps, tokens, error);
    if (status == 0)
        status = pp_simulation_memory(report, plan, options, error);
    if (made_up && !options->cost)
        pp_json_set(&config, "cost", json_string(cost));
    report->config = config;
    if (status != 0)
        return -1;
    if (!config)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    pp_assign(report->command, sizeof report->command, "simulate");
    pp_assign(report->version, sizeof report->version, "%s", PP_VERSION);
    pp_assign(report->environment.clock, sizeof report->environment.clock, "simulated");
    report->link_latency_s = (double)costs->near.latency / 1e9;
    report->link_bandwidth = costs->near.bandwidth;
    pp_set_theory(report, plan->row, &plan->shape, &equal,
                  are_equal ? NULL : "closed forms are for equal, undisturbed costs");
    return 0;
}

int pp_simulation(struct pp_report *report, struct pp_plan *plan,
                  const struct pp_options *asked, struct pp_error *error)
{
    struct pp_costs costs = {0};
    struct pp_options options = *asked; /* --costs bring the sizes of their model */
    int status = pp_simulation_costs(&costs, &options, plan, error);
    if (status == 0)
        status = make_report(report, &options, plan, &costs, error);
    pp_costs_release(&costs);
    return status;
}
