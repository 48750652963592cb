#include "cli/simulation_memory.h"

#include "run/memory.h"
#include "simulate/cost_text.h"

static int set_bytes(struct pp_report *report, const struct pp_plan *plan,
                     const struct pp_options *options, struct pp_error *error)
{
    struct pp_run_memory memory = {0};
    const struct pp_run_config config = {
        .schedule = &report->schedule,
        .model = plan->model,
        .layers_of = plan->layers_of,
        .optimizer = {.kind = (enum pp_optimizer_kind)options->optimizer},
    };
    int status = pp_run_memory_init(&memory, &config, error);
    for (int r = 0; r < report->schedule.ranks && status == 0; r++) {
        const struct pp_rank_memory *told = &memory.ranks[r];
        struct pp_report_rank *rank = &report->ranks[r];
        rank->peak_activation_bytes = told->peak_activations;
        rank->parameter_bytes = told->parameters;
        rank->gradient_bytes = told->gradients;
        rank->optimizer_bytes = told->optimizer;
    }
    pp_run_memory_release(&memory);
    return status;
}

int pp_simulation_memory(struct pp_report *report, const struct pp_plan *plan,
                         const struct pp_options *options, struct pp_error *error)
{
    struct pp_hold hold;
    double unit;
    if (options->memory && (pp_memory_text(options->memory, &hold, &unit, error) != 0 ||
                            pp_report_set_memory(report, hold, error) != 0))
        return -1;
    return plan->layers_of ? set_bytes(report, plan, options, error) : 0;
}
