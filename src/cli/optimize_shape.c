#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/optimize.h"
#include "cli/option_table.h"
#include "cli/simulation.h"
#include "model/stage.h"
#include "run/memory.h"

/* The options with this layer split, as if it was given. The caller frees given. */
static int with_split(struct pp_options *options, const char *split,
                      struct pp_error *error)
{
    size_t count = (size_t)pp_option_count;
    bool *given = malloc(count * sizeof *given);
    if (!given)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    memcpy(given, options->given, count * sizeof *given);
    for (int i = 0; i < pp_option_count && split; i++)
        given[i] |= strcmp(pp_option_table[i].name, "layer-split") == 0;
    options->given = given;
    if (split)
        options->layer_split = split;
    return 0;
}

/* The bytes that a run holds. */
static int hold_of_model(struct pp_tried *tried, struct pp_error *error)
{
    const struct pp_plan *plan = &tried->plan;
    int stages = plan->schedule.stages, first_layer = 0;
    if (!plan->layers_of)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--memory-limit' in bytes: the costs are of no model whose "
                       "layers are known: say with '--memory' what a microbatch holds, "
                       "as in f=1GB,w=500MB");
    for (int s = 0; s < stages; s++) {
        struct pp_stage stage = pp_stage_shape(
            &plan->model, first_layer, plan->layers_of[s], s == 0, s == stages - 1);
        tried->hold[s] = pp_stage_hold(&stage);
        first_layer += plan->layers_of[s];
    }
    return 0;
}

static int set_hold(struct pp_tried *tried, const struct pp_memory_asked *memory,
                    struct pp_error *error)
{
    const struct pp_schedule *shape = &tried->plan.schedule;
    tried->hold = calloc((size_t)shape->stages, sizeof *tried->hold);
    if (!tried->hold)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                       shape->stages);
    if (memory->of_model)
        return hold_of_model(tried, error);
    for (int s = 0; s < shape->stages; s++)
        tried->hold[s] =
            (struct pp_hold){.forward = memory->rank.forward / shape->chunks,
                             .weight = memory->rank.weight / shape->chunks};
    return 0;
}

static int check_queues(const struct pp_costs *costs, struct pp_error *error)
{
    if (!costs->near.serialise && !costs->far.serialise)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "the search knows no messages that queue for a link: leave "
                   "'serialise' out, and simulate what was found with it");
}

int pp_tried_init(struct pp_tried *tried, const struct pp_try *what,
                  const struct pp_options *asked, const struct pp_memory_asked *memory,
                  struct pp_error *error)
{
    struct pp_options options = *asked;
    struct pp_plan *plan = &tried->plan;
    *tried = (struct pp_tried){0};
    if (with_split(&options, what->split, error) != 0)
        return -1;
    plan->shape = (struct pp_shape){.ranks = options.ranks,
                                    .chunks = what->chunks,
                                    .microbatches = options.microbatches};
    int status =
        pp_schedule_init(&plan->schedule, options.ranks, options.ranks * what->chunks,
                         options.microbatches, what->placement, error);
    if (status == 0)
        status = pp_simulation_costs(&tried->costs, &options, plan, error);
    if (status == 0)
        status = set_hold(tried, memory, error);
    free(options.given);
    return status;
}

int pp_tried_search(struct pp_tried *tried, const struct pp_memory_asked *memory,
                    enum pp_objective objective, struct pp_error *error)
{
    struct pp_problem problem = {0};
    if (check_queues(&tried->costs, error) != 0 ||
        pp_problem_init(&problem, &tried->plan.schedule, &tried->costs, tried->hold,
                        memory->limit, objective, error) != 0)
        return -1;
    return pp_searched_init(&tried->searched, &problem, error);
}

void pp_tried_release(struct pp_tried *tried)
{
    pp_searched_release(&tried->searched);
    pp_costs_release(&tried->costs);
    pp_plan_release(&tried->plan);
    free(tried->hold);
    *tried = (struct pp_tried){0};
}

void pp_tried_split(const struct pp_tried *tried, char *text, size_t size)
{
    const struct pp_plan *plan = &tried->plan;
    text[0] = '\0';
    for (int s = 0; plan->layers_of && s < plan->schedule.stages; s++)
        pp_append(text, size, "%s%d", s > 0 ? "," : "", plan->layers_of[s]);
}
