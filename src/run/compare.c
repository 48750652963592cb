#include "run/compare.h"

#include <stdlib.h>
#include <string.h>

#include "run/reference.h"
#include "run/shard.h"

/* The first element in which a and b differ bitwise, or count. */
static size_t first_difference(const real *a, const real *b, size_t count)
{
    if (memcmp(a, b, count * sizeof *a) == 0)
        return count;
    size_t i = 0;
    while (memcmp(&a[i], &b[i], sizeof *a) == 0)
        i++;
    return i;
}

struct comparison {
    const struct pp_trainer *sequential;
    const char *what; /* "gradient" or "value" */
    bool gradients;
    struct pp_error *difference;
};

/* Compares one tensor with the sequential run's; stops caring after the first. */
static int compare_tensor(void *data, int index, const real *values,
                          struct pp_error *error)
{
    struct comparison *comparison = data;
    const struct pp_parameter *own =
        pp_tensors_own(&comparison->sequential->tensors, index);
    const real *expected = comparison->gradients ? own->grad : own->value;
    size_t at = first_difference(values, expected, own->count);
    (void)error;
    if (at == own->count || comparison->difference->lines > 0)
        return 0;
    struct pp_tensor_spec spec =
        pp_model_tensor(&comparison->sequential->config->model, index);
    pp_fail(comparison->difference, PP_WRONG_NUMBERS,
            "verify: %s of '%s' differs at element [%zu, %zu]: %a here, %a in the "
            "sequential run",
            comparison->what, spec.name, at / (size_t)spec.shape[1],
            at % (size_t)spec.shape[1], (double)values[at], (double)expected[at]);
    return 0;
}

static void compare_losses(const char *what, int step, double here, double there,
                           struct pp_error *difference)
{
    if (memcmp(&here, &there, sizeof here) != 0 && difference->lines == 0)
        pp_fail(difference, PP_WRONG_NUMBERS,
                "verify: %s of step %d differs: %a here, %a in the sequential run",
                what, step, here, there);
}

/* Trains the sequential run's steps, unless it is told to stop; compares the losses. */
static int train_sequential(struct pp_trainer *sequential, int begin,
                            const struct pp_losses *losses, struct pp_error *difference,
                            int *stopped, struct pp_error *error)
{
    const struct pp_run_config *config = sequential->config;
    const struct pp_evaluation *evaluated = losses->held_out;
    struct pp_span *spans =
        calloc(pp_schedule_ops(sequential->schedule), sizeof *spans);
    if (!spans)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a timeline");
    int status = 0;
    for (int step = begin + 1; step <= config->steps && !*stopped; step++) {
        struct pp_outcome outcome;
        status = pp_trainer_step(sequential, step, spans, NULL, &outcome, error);
        if (status != 0)
            break;
        compare_losses("loss", step, losses->training[step - 1], outcome.loss,
                       difference);
        *stopped = step < config->steps ? outcome.stop : 0;
        if (!pp_evaluation_due(config, step))
            continue;
        while (evaluated->step < step) /* those before the checkpoint */
            evaluated++;
        compare_losses("held-out loss", step, evaluated->loss,
                       pp_evaluate(&sequential->evaluator), difference);
    }
    free(spans);
    return status;
}

int pp_compare_with_sequential(struct pp_trainer *trainer, const struct pp_begin *begin,
                               const struct pp_losses *losses, int *verified,
                               struct pp_error *difference, int *stopped,
                               struct pp_error *error)
{
    /* It keeps its activations, also where the run computes them again. */
    struct pp_run_config config = *trainer->config;
    config.model.recompute = PP_RECOMPUTE_NONE;
    const struct pp_world alone = {.comm = MPI_COMM_SELF, .size = 1, .own_core = true};
    struct pp_schedule schedule = {0};
    struct pp_trainer sequential = {0};
    struct pp_clock clock;
    bool leads = trainer->world->rank == 0;
    int status = 0;

    *difference = (struct pp_error){0};
    /* Rank 0 trains alone and asks nothing of MPI, while the others wait in pp_agree.
     */
    if (leads) {
        pp_clock_init(&clock, PP_CLOCK_VIRTUAL, &alone);
        status = pp_reference_schedule(&schedule, trainer->schedule, error);
        if (status == 0)
            status = pp_trainer_init(&sequential, &config, &alone, &schedule,
                                     &config.model.layers, &clock, error);
        if (status == 0 && begin->folder)
            status = pp_shards_read(&sequential, begin->folder, error);
        if (status == 0)
            status = train_sequential(&sequential, begin->step, losses, difference,
                                      stopped, error);
    }
    status = pp_agree(trainer->world, status, error);
    if (status != 0)
        goto done;
    pp_broadcast(trainer->world, stopped, sizeof *stopped, 0);
    if (*stopped)
        goto judge;

    /* Every weight copy has the same gradients and values. */
    for (int k = 2 * trainer->schedule->copies - 1; k >= 0 && status == 0; k--) {
        struct pp_tensors tensors = trainer->tensors;
        struct comparison comparison = {
            .sequential = &sequential,
            .what = k % 2 ? "gradient" : "value",
            .gradients = k % 2,
            .difference = difference,
        };
        tensors.copy = k / 2;
        status = pp_tensors_gather(&tensors, k % 2, compare_tensor, &comparison, error);
    }
judge:
    if (difference->lines > 0)
        *verified = 0;
    else
        *verified = *stopped ? -1 : 1;
done:
    if (leads) {
        pp_trainer_release(&sequential);
        pp_schedule_release(&schedule);
    }
    return status;
}
