#include "cli/plan.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/available.h"
#include "base/json.h"
#include "base/words.h"
#include "cli/option_table.h"
#include "model/partition.h"
#include "run/config.h"
#include "schedule/csv.h"
#include "simulate/cost_text.h"
#include "timeline/timeline.h"

bool pp_plan_is_file(const char *schedule)
{
    size_t length = strlen(schedule);
    return strchr(schedule, '/') ||
           (length > 4 && strcmp(schedule + length - 4, ".csv") == 0);
}

/* A schedule from a file has its shape already; an option that asks for another one is
 * a mistake. */
static int agree_with_file(const char *option, int asked, int found, const char *path,
                           struct pp_error *error)
{
    if (asked == 0 || asked == found)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' %d, but '%s' has %d: leave the option out", option, asked,
                   path, found);
}

static int read_file(struct pp_plan *plan, const struct pp_options *options,
                     struct pp_error *error)
{
    struct pp_schedule *schedule = &plan->schedule;
    const char *path = options->schedule;
    if (pp_csv_read(schedule, path, error) != 0)
        return -1;
    plan->shape = (struct pp_shape){
        .ranks = schedule->ranks,
        .chunks = schedule->chunks,
        .microbatches = schedule->microbatches,
    };
    if (agree_with_file("--ranks", options->ranks, schedule->ranks, path, error) != 0 ||
        agree_with_file("--chunks", options->chunks, schedule->chunks, path, error) !=
            0 ||
        agree_with_file("--group-size", options->group_size, 0, path, error) != 0 ||
        agree_with_file("--groups", options->groups, 0, path, error) != 0 ||
        agree_with_file("--prompt-chunks", options->prompt_chunks, 0, path, error) != 0)
        return -1;
    return agree_with_file("--microbatches", options->microbatches,
                           schedule->microbatches, path, error);
}

static int check_placement(const struct pp_plan *plan, const char *asked,
                           struct pp_error *error)
{
    const char *own = pp_placement_name(plan->schedule.placement);
    if (!asked || (own && strcmp(asked, own) == 0))
        return 0;
    if (!own)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--placement' %s: the file '%s' places its stages itself: "
                       "leave the option out",
                       asked, plan->schedule.name);
    return pp_fail(error, PP_BAD_INPUT,
                   "'--placement' %s: the order of '%s' needs placement '%s'", asked,
                   plan->schedule.name, own);
}

/* How many timelines the command keeps in memory: one for each measured step. */
static int count_timelines(const struct pp_options *options)
{
    if (options->work == PP_SCHEDULES)
        return 0;
    if (options->work == PP_RUN)
        return options->steps - options->warmup_steps;
    return options->jitter ? options->steps : 1;
}

/* Refuses what does not fit into this machine's memory. Linux grants such an
 * allocation, and kills this process or another one when the memory is used. */
static int check_memory(const struct pp_plan *plan, const struct pp_options *options,
                        struct pp_error *error)
{
    const struct pp_shape *shape = &plan->shape;
    double stages = (double)shape->ranks * shape->chunks;
    double microbatches =
        shape->microbatches + (double)shape->groups * shape->prompt_chunks;
    double ops = (pp_row_decodes(plan->row) ? 1 : 2) * stages * microbatches;
    double marks = (2 * stages + 3) * microbatches;
    double bytes = ops * (sizeof(struct pp_op) +
                          (double)count_timelines(options) * sizeof(struct pp_span)) +
                   marks * sizeof(int64_t); /* what a walk keeps, see walk.h */
    struct pp_available available = pp_available("");
    double memory = pp_available_least(&available, NULL);
    if (bytes <= memory)
        return 0;
    return pp_fail(
        error, PP_ENVIRONMENT,
        "%.3g ops take at least %.3g GB of memory, but %.3g GB are available: use "
        "fewer '--microbatches', '--ranks' or '--steps'",
        ops, bytes / 1e9, memory / 1e9);
}

int pp_plan_prompt_rows(const struct pp_options *options)
{
    int chunks = options->prompt_chunks > 0 ? options->prompt_chunks : 1;
    long tokens = (options->seq_len + chunks - 1L) / chunks * options->microbatch_size;
    return tokens < INT_MAX ? (int)tokens : INT_MAX;
}

int pp_plan_schedule(struct pp_plan *plan, const struct pp_options *options,
                     struct pp_error *error)
{
    *plan = (struct pp_plan){0};
    if (pp_plan_is_file(options->schedule)) {
        if (read_file(plan, options, error) != 0)
            return -1;
        return check_placement(plan, options->placement, error);
    }
    plan->row = pp_catalogue_get(options->schedule, error);
    if (!plan->row)
        return -1;
    plan->shape = (struct pp_shape){
        .ranks = options->ranks ? options->ranks : PP_DEFAULT_RANKS,
        .chunks = options->chunks ? options->chunks : plan->row->default_chunks,
        .microbatches =
            options->microbatches ? options->microbatches : PP_DEFAULT_MICROBATCHES,
        .group_size = options->group_size,
        .groups = options->groups,
        .prompt_chunks = options->prompt_chunks,
        .rows = options->microbatch_size,
        .prompt_rows = pp_plan_prompt_rows(options),
    };
    if (options->work == PP_RUN && pp_row_decodes(plan->row))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--schedule' '%s' generates, it does not train: use 'ppsim "
                       "generate', or 'ppsim simulate' for its times",
                       options->schedule);
    if (check_memory(plan, options, error) != 0)
        return -1;
    /* A simulation reports by itself an order that blocks. Only a group size that was
     * asked for can make one block; the check before it names sizes that work. */
    bool simulates = options->work == PP_SIMULATE || options->work == PP_SWEEP;
    int status =
        simulates && options->group_size == 0
            ? pp_schedule_generate(&plan->schedule, plan->row, &plan->shape, error)
            : pp_schedule_build(&plan->schedule, plan->row, &plan->shape, error);
    if (status != 0)
        return -1;
    return check_placement(plan, options->placement, error);
}

int pp_plan_init(struct pp_plan *plan, const struct pp_options *options,
                 struct pp_error *error)
{
    if (pp_plan_schedule(plan, options, error) != 0)
        return -1;
    return pp_plan_model(plan, options, NULL, error);
}

struct pp_model_config pp_model_of(const struct pp_options *options)
{
    return (struct pp_model_config){
        .layers = options->layers,
        .d_model = options->d_model,
        .heads = options->heads,
        .seq_len = options->seq_len,
        .microbatch_size = options->microbatch_size,
        .vocab = options->vocab,
        .untied = options->untied,
        .recompute = options->recompute,
    };
}

/* Where numbers do not sum to the layers, the layers may be what is wrong. */
static void advise_layers(const struct pp_options *options, int stages,
                          struct pp_error *error)
{
    long listed = pp_partition_listed(options->layer_split, stages);
    if (error->status == PP_BAD_INPUT && listed > 0 && listed != options->layers)
        pp_append(error->text, sizeof error->text, ", or '--layers' %ld", listed);
}

static int split_layers(struct pp_plan *plan, const struct pp_options *options,
                        const struct pp_layer_costs *costs, struct pp_error *error)
{
    const struct pp_schedule *schedule = &plan->schedule;
    int stages = schedule->stages;
    struct pp_stage_work *work = calloc((size_t)stages, sizeof *work);
    plan->layers_of = calloc((size_t)stages, sizeof *plan->layers_of);
    if (!work || !plan->layers_of) {
        free(work);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages", stages);
    }
    if (costs)
        pp_layer_costs_work(costs, stages, schedule->rank_of, plan->slow, work);
    else
        pp_work_of_flops(&plan->model, stages, schedule->rank_of, plan->slow, work);
    int status = pp_partition(&plan->model, options->layer_split, stages, work,
                              plan->layers_of, error);
    if (status != 0)
        advise_layers(options, stages, error);
    free(work);
    return status;
}

int pp_plan_model(struct pp_plan *plan, const struct pp_options *options,
                  const struct pp_layer_costs *costs, struct pp_error *error)
{
    plan->model = pp_model_of(options);
    if (pp_model_check(&plan->model, error) != 0)
        return -1;
    if (options->slow &&
        pp_slow_text(options->slow, plan->schedule.ranks, &plan->slow, error) != 0)
        return -1;
    return split_layers(plan, options, costs, error);
}

void pp_plan_release(struct pp_plan *plan)
{
    pp_schedule_release(&plan->schedule);
    free(plan->layers_of);
    free(plan->slow);
    *plan = (struct pp_plan){0};
}

struct pp_learning_rate pp_plan_rate(const struct pp_options *options)
{
    bool falls = options->lr_schedule == PP_RATE_COSINE;
    int last = options->lr_decay_steps > 0 ? options->lr_decay_steps : options->steps;
    return (struct pp_learning_rate){
        .kind = options->lr_schedule,
        .most = options->lr,
        .least = options->lr_min,
        .warmup = options->lr_warmup,
        .decay = falls ? last : 0,
    };
}

int pp_plan_eval_microbatches(const struct pp_plan *plan,
                              const struct pp_options *options)
{
    if (options->eval_every == 0 || options->eval_microbatches > 0)
        return options->eval_microbatches;
    return plan->schedule.microbatches;
}

/* What the command takes of training, as it will be. */
static void set_training(json_t **config, const struct pp_plan *plan,
                         const struct pp_options *options)
{
    if (!json_object_get(*config, "lr_schedule"))
        return;
    pp_json_set(config, "lr_decay_steps", json_integer(pp_plan_rate(options).decay));
    pp_json_set(config, "eval_microbatches",
                json_integer(pp_plan_eval_microbatches(plan, options)));
}

json_t *pp_plan_config(const struct pp_plan *plan, const struct pp_options *options)
{
    const struct pp_schedule *schedule = &plan->schedule;
    json_t *config = pp_options_config(options);
    pp_json_set(&config, "schedule", json_string(schedule->name));
    pp_json_set(&config, "ranks", json_integer(schedule->ranks));
    pp_json_set(&config, "chunks", json_integer(schedule->chunks));
    pp_json_set(&config, "stages", json_integer(schedule->stages));
    pp_json_set(&config, "microbatches", json_integer(schedule->microbatches));
    pp_json_set(&config, "group_size", json_integer(schedule->group_size));
    if (pp_decodes(schedule))
        pp_json_set(&config, "groups", json_integer(schedule->groups));
    if (plan->layers_of) {
        json_t *split = json_array();
        for (int s = 0; s < schedule->stages; s++)
            pp_json_append(&split, json_integer(plan->layers_of[s]));
        pp_json_set(&config, "layer_split", split);
    }
    if (schedule->copies > 1)
        pp_json_set(&config, "copies", json_integer(schedule->copies));
    set_training(&config, plan, options);
    return config;
}

json_t *pp_plan_numbers(const struct pp_plan *plan, const struct pp_options *options)
{
    json_t *config = pp_plan_config(plan, options), *numbers = json_object();
    for (int i = 0; config && i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        char key[PP_OPTION_KEY];
        if (pp_option_of(option, options->command) && pp_option_decides_numbers(option))
            pp_json_set(
                &numbers, pp_option_key(option, key),
                json_incref(json_object_get(config, pp_option_key(option, key))));
    }
    const struct pp_schedule *schedule = &plan->schedule;
    json_t *copy_of = schedule->copies > 1 ? json_array() : NULL;
    for (int i = 0; copy_of && i < schedule->microbatches; i++)
        json_array_append_new(copy_of, json_integer(schedule->copy_of[i]));
    if (copy_of)
        json_object_set_new(numbers, PP_NUMBERS_COPIES, copy_of);
    if (!config) {
        json_decref(numbers);
        numbers = NULL;
    }
    json_decref(config);
    return numbers;
}
