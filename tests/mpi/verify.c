/* --verify can fail: one bit in a loss, a gradient or a parameter is found and named.
 * Run by mpiexec; on two ranks with two copies of the weights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "run/compare.h"
#include "run/launch.h"
#include "schedules/catalogue.h"

enum { STEPS = 2, MOST_RANKS = 8 };

static int failures;

/* These stand before MPI's own, which go on as PMPI_…: a rank alone is to make no
 * collective call, since not every MPI completes one that nobody else takes part in. */
static void expect_company(MPI_Comm comm, const char *call)
{
    int size;
    MPI_Comm_size(comm, &size);
    if (size > 1)
        return;
    printf("FAILED %s by a rank alone\n", call);
    failures++;
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request *request)
{
    expect_company(comm, "MPI_Ibarrier");
    return PMPI_Ibarrier(comm, request);
}

int MPI_Ibcast(void *buffer, int count, MPI_Datatype datatype, int root, MPI_Comm comm,
               MPI_Request *request)
{
    expect_company(comm, "MPI_Ibcast");
    return PMPI_Ibcast(buffer, count, datatype, root, comm, request);
}

int MPI_Iallreduce(const void *sendbuf, void *recvbuf, int count, MPI_Datatype datatype,
                   MPI_Op op, MPI_Comm comm, MPI_Request *request)
{
    expect_company(comm, "MPI_Iallreduce");
    return PMPI_Iallreduce(sendbuf, recvbuf, count, datatype, op, comm, request);
}

/* Compares, and expects what it says to begin with the text; NULL: that all is equal.
 */
static void expect(struct pp_trainer *trainer, const struct pp_losses *losses,
                   const char *text)
{
    struct pp_error difference, error = {0};
    int verified = -1, stopped = 0;
    if (pp_compare_with_sequential(trainer, &(struct pp_begin){0}, losses, &verified,
                                   &difference, &stopped, &error) != 0) {
        fprintf(stderr, "verify: %s\n", error.text);
        failures++;
        return;
    }
    if (trainer->world->rank != 0)
        return;
    if (verified != !text ||
        (text && strncmp(difference.text, text, strlen(text)) != 0)) {
        printf("FAILED expected '%s', found '%s'\n", text ? text : "equal",
               difference.text);
        failures++;
    }
}

static void flip(real *number)
{
    unsigned char bytes[sizeof *number];
    memcpy(bytes, number, sizeof bytes);
    bytes[0] ^= 1;
    memcpy(number, bytes, sizeof bytes);
}

/* The last tensor of the last weight copy, of a layer or after. */
static void flip_and_expect(struct pp_trainer *trainer, const struct pp_losses *losses)
{
    const struct pp_schedule *schedule = trainer->schedule;
    const struct pp_chunk *chunk =
        pp_rank_chunk(&trainer->rank, schedule->copies - 1, schedule->stages - 1);
    bool mine = chunk != NULL;
    const struct pp_parameter *last =
        mine ? &chunk->model.parameters[chunk->model.parameter_count - 1] : NULL;
    if (mine)
        flip(&last->grad[3]);
    expect(trainer, losses,
           "verify: gradient of 'lm_head.weight' differs at element [0, 3]");
    if (mine) {
        flip(&last->grad[3]);
        flip(&last->value[3]);
    }
    expect(trainer, losses,
           "verify: value of 'lm_head.weight' differs at element [0, 3]");
    if (mine)
        flip(&last->value[3]);
}

/* The sequential run cannot start on rank 0: every rank hears of it, none waits. */
static void expect_no_start(struct pp_trainer *trainer, struct pp_run_config *config,
                            const struct pp_losses *losses)
{
    struct pp_error difference, error = {0};
    int verified = -1, stopped = 0;
    config->load = "no/such.safetensors";
    if (pp_compare_with_sequential(trainer, &(struct pp_begin){0}, losses, &verified,
                                   &difference, &stopped, &error) == 0 ||
        !strstr(error.text, config->load)) {
        printf("FAILED rank %d got the error '%s'\n", trainer->world->rank, error.text);
        failures++;
    }
    config->load = NULL;
}

static int test(const struct pp_world *world, struct pp_error *error)
{
    struct pp_schedule schedule = {0};
    struct pp_shape shape = {.ranks = world->size, .chunks = 1, .microbatches = 3};
    int layers_of[MOST_RANKS];
    for (int s = 0; s < MOST_RANKS; s++)
        layers_of[s] = 1;
    struct pp_run_config config = {
        .schedule = &schedule,
        .model = {.layers = world->size,
                  .d_model = 8,
                  .heads = 2,
                  .seq_len = 4,
                  .microbatch_size = 1,
                  .vocab = 16,
                  .untied = true},
        .layers_of = layers_of,
        .optimizer = {.kind = PP_SGD, .lr = {.most = 0.1}},
        .clip_norm = 1,
        .seed = 1,
        .steps = STEPS,
        .eval_every = 2,
        .eval_microbatches = 5,
        .threads = 1,
    };
    struct pp_trainer trainer = {0};
    struct pp_clock clock;
    struct pp_outcome outcome;
    double training[STEPS];
    struct pp_evaluation held_out = {.step = 2};
    const struct pp_losses losses = {training, STEPS, &held_out, 1};
    int status = -1;
    pp_clock_init(&clock, PP_CLOCK_VIRTUAL, world);
    clock.link_bandwidth = 1e9;
    const char *name = world->size == 2 ? "chimera" : "1f1b";
    if (pp_schedule_build(&schedule, pp_catalogue_find(name), &shape, error) != 0)
        return -1;
    struct pp_span *spans = calloc(pp_schedule_ops(&schedule), sizeof *spans);
    if (!spans || pp_trainer_init(&trainer, &config, world, &schedule, layers_of,
                                  &clock, error) != 0)
        goto done;
    for (int step = 1; step <= STEPS; step++) {
        if (pp_trainer_step(&trainer, step, spans, NULL, &outcome, error) != 0)
            return -1;
        training[step - 1] = outcome.loss;
    }
    held_out.loss = pp_evaluate(&trainer.evaluator);
    expect(&trainer, &losses, NULL);
    flip_and_expect(&trainer, &losses);
    expect(&trainer, &losses, NULL);
    held_out.loss += 1e-9;
    expect(&trainer, &losses, "verify: held-out loss of step 2 differs");
    training[1] += 1e-9;
    expect(&trainer, &losses, "verify: loss of step 2 differs");
    expect_no_start(&trainer, &config, &losses);
    status = 0;
done:
    free(spans);
    pp_trainer_release(&trainer);
    pp_schedule_release(&schedule);
    return status;
}

int main(void)
{
    struct pp_world world = {.comm = MPI_COMM_WORLD};
    struct pp_error error = {0};
    if (pp_world_enter("test", &world.rank, &world.size, &error) != 0 ||
        pp_agree(&world, pp_blas_init(1, &error), &error) != 0 ||
        test(&world, &error) != 0) {
        fprintf(stderr, "verify: %s\n", error.text);
        failures++;
    }
    return pp_world_leave(pp_agree(&world, failures > 0, &error) != 0);
}
