#include "cli/whatif.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/predict.h"
#include "model/partition.h"

static int config_number(const struct pp_report *report, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(report->config, key));
    return number > 0 && number <= INT_MAX ? (int)number : 0;
}

/* The report's own split, [stages]; false if it does not tell or is even. */
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

/* Turns the costs of one split into those of another. */
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

int pp_predict_even_split(const struct pp_report *report, struct pp_even_split *even,
                          struct pp_error *error)
{
    int stages = report->schedule.stages;
    const struct pp_model_config model = {
        .layers = config_number(report, "layers"),
        .d_model = config_number(report, "d_model"),
        .seq_len = config_number(report, "seq_len"),
        .microbatch_size = config_number(report, "microbatch_size"),
    };
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
                                      pp_message_bytes(&model), error);
        if (status == 0) {
            respread(&costs, from, to);
            status = pp_predict(&report->schedule, &costs, &even->bubble,
                                &even->makespan_s, error);
        }
        size_t used = 0;
        for (int s = 0; s < stages && used < sizeof even->split; s++)
            used += (size_t)snprintf(even->split + used, sizeof even->split - used,
                                     "%s%d", s > 0 ? "," : "", to[s]);
        even->known = status == 0;
    }
    pp_costs_release(&costs);
    free(from);
    free(to);
    return status;
}
