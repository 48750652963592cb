#include "predict/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "predict/layers.h"
#include "predict/predict.h"

struct search {
    const struct pp_schedule *schedule;
    struct pp_layer_costs layers;
    struct pp_costs costs; /* of the split that is tried */
    int *best, *trial;     /* [stages] */
    double best_s, best_bubble;
    double budget; /* ops that may yet be simulated */
    bool found;    /* the last split that was tried is the best */
};

/* Predicts the step with the trial's split, and keeps it if it is the best. */
static int try_split(struct search *search, struct pp_error *error)
{
    double bubble, makespan_s;
    search->found = false;
    search->budget -= (double)pp_schedule_ops(search->schedule);
    pp_layer_costs_spread(&search->layers, search->trial, &search->costs);
    if (pp_predict(search->schedule, &search->costs, &bubble, &makespan_s, error) != 0)
        return -1;
    if (makespan_s < search->best_s) {
        search->found = true;
        search->best_s = makespan_s;
        search->best_bubble = bubble;
        memcpy(search->best, search->trial,
               (size_t)search->costs.stages * sizeof *search->best);
    }
    return 0;
}

/* The even split, and the one that balances the ranks' work. */
static int try_known(struct search *search, int layers, struct pp_error *error)
{
    int stages = search->costs.stages;
    const struct pp_model_config model = {.layers = layers};
    struct pp_stage_work *work = calloc((size_t)stages, sizeof *work);
    if (!work)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages", stages);
    pp_layer_costs_work(&search->layers, stages, search->schedule->rank_of, NULL, work);
    int status = pp_partition(&model, "even", stages, NULL, search->trial, error);
    if (status == 0)
        status = try_split(search, error);
    if (status == 0)
        status = pp_partition(&model, "auto", stages, work, search->trial, error);
    if (status == 0)
        status = try_split(search, error);
    free(work);
    return status;
}

/* Moves single layers from one stage to another while that shortens the step. */
static int improve(struct search *search, struct pp_error *error)
{
    int stages = search->costs.stages, since = 0; /* moves since the last that helped */
    for (int k = 0; since < stages * stages && search->budget > 0;
         k = (k + 1) % (stages * stages)) {
        int from = k / stages, to = k % stages;
        since++;
        if (from == to || search->best[from] == 1)
            continue;
        memcpy(search->trial, search->best, (size_t)stages * sizeof *search->trial);
        search->trial[from]--;
        search->trial[to]++;
        if (try_split(search, error) != 0)
            return -1;
        if (search->found)
            since = 0;
    }
    return 0;
}

static void write_advice(const struct search *search, struct pp_split_advice *advice)
{
    const double least = 0.01; /* of the step: less is not worth a change */
    advice->known = true;
    advice->then_s = search->best_s;
    advice->then_bubble = search->best_bubble;
    for (int s = 0; s < search->costs.stages; s++)
        pp_append(advice->split, sizeof advice->split, "%s%d", s > 0 ? "," : "",
                  search->best[s]);
    bool fits = strlen(advice->split) < sizeof advice->split - 1;
    advice->better = fits && advice->now_s - advice->then_s >= least * advice->now_s;
}

/* Do the costs alone give the step? Those of a run always do, as far as they can; other
 * reports may hold far or serialised links, or a cost of joined pairs. */
static bool gives_step(const struct pp_report *report, double predicted_s)
{
    const double alike = 0.05;
    double own_s = (double)report->metrics.makespan / 1e9;
    return isfinite(report->predicted_makespan_s) ||
           fabs(predicted_s - own_s) <= alike * own_s;
}

static int look(struct search *search, const struct pp_report *report,
                struct pp_split_advice *advice, struct pp_error *error)
{
    int layers = 0, stages = report->schedule.stages;
    for (int s = 0; s < stages; s++)
        layers += search->layers.layers_of[s];
    memcpy(search->trial, search->layers.layers_of,
           (size_t)stages * sizeof *search->trial);
    if (try_split(search, error) != 0)
        return -1;
    advice->now_s = search->best_s;
    advice->now_bubble = search->best_bubble;
    if (!gives_step(report, advice->now_s))
        return 0;
    if (try_known(search, layers, error) != 0 || improve(search, error) != 0)
        return -1;
    write_advice(search, advice);
    return 0;
}

int pp_predict_split(const struct pp_report *report, double message_bytes,
                     struct pp_split_advice *advice, struct pp_error *error)
{
    int stages = report->schedule.stages;
    struct search search = {
        .schedule = &report->schedule,
        .best = calloc((size_t)stages, sizeof *search.best),
        .trial = calloc((size_t)stages, sizeof *search.trial),
        .best_s = INFINITY,
        .budget = 5e7, /* simulated in a second or two */
    };
    int status = 0;
    *advice = (struct pp_split_advice){0};
    if (!search.best || !search.trial)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages", stages);
    if (status == 0)
        status = pp_layer_costs_init(&search.layers, report, message_bytes, error);
    if (status == 0)
        status = pp_costs_init(&search.costs, stages, error);
    if (status == 0 && search.layers.known && stages > 1)
        status = look(&search, report, advice, error);
    pp_layer_costs_release(&search.layers);
    pp_costs_release(&search.costs);
    free(search.best);
    free(search.trial);
    return status;
}
