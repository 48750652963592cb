#include "run/run.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/blas.h"
#include "model/safetensors.h"
#include "run/compare.h"
#include "run/link.h"
#include "run/topology.h"
#include "timeline/producers.h"

/* The parts of one run, on one rank. */
struct job {
    const struct pp_run_config *config;
    struct pp_run_result *result;
    struct pp_world world;
    struct pp_topology topology;
    struct pp_clock clock;
    struct pp_cores cores;
    struct pp_trainer trainer;
    struct pp_span *spans; /* [measured + 1][ops of this rank]: the last is for
                            * warm-up steps */
    size_t ops;
    int measured;
};

static enum pp_clock_kind choose_clock(const struct pp_run_config *config,
                                       const struct pp_topology *topology)
{
    switch (config->clock) {
    case PP_CHOOSE_WALL:
        return PP_CLOCK_WALL;
    case PP_CHOOSE_VIRTUAL:
        return PP_CLOCK_VIRTUAL;
    case PP_CHOOSE_AUTO:
        break;
    }
    return topology->own_core ? PP_CLOCK_WALL : PP_CLOCK_VIRTUAL;
}

static size_t message_bytes(const struct pp_model_config *model)
{
    return sizeof(struct pp_wire) + (size_t)model->microbatch_size *
                                        (size_t)model->seq_len *
                                        (size_t)model->d_model * sizeof(real);
}

/* Topology, clock and link. */
static int set_up(struct job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    struct pp_run_result *result = job->result;
    MPI_Comm_dup(MPI_COMM_WORLD, &job->world.comm);
    MPI_Comm_rank(job->world.comm, &job->world.rank);
    MPI_Comm_size(job->world.comm, &job->world.size);
    result->leads = job->world.rank == 0;
    if (message_bytes(&config->model) > INT_MAX)
        return pp_fail(error, PP_BAD_INPUT,
                       "a message of %zu bytes is more than MPI counts, %d: use a "
                       "smaller '--microbatch-size', '--seq-len' or '--d-model'",
                       message_bytes(&config->model), INT_MAX);
    if (pp_topology_init(&job->topology, &job->world, config->threads, error) != 0)
        return -1;
    job->world.own_core = job->topology.own_core;

    enum pp_clock_kind kind = choose_clock(config, &job->topology);
    if (kind == PP_CLOCK_VIRTUAL && config->threads > 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "the virtual clock counts the CPU time of one thread: use "
                       "'--threads' 1, or '--clock' wall");
    if (pp_agree(&job->world, pp_blas_init(config->threads, error), error) != 0)
        return -1;
    pp_clock_init(&job->clock, kind, &job->world);
    struct pp_link link = {config->link_latency_s, config->link_bandwidth};
    /* What the user says of the link holds on the virtual clock; on the wall clock it
     * is what it is. */
    bool wall = kind == PP_CLOCK_WALL;
    if (wall || isnan(link.latency_s) || isnan(link.bandwidth)) {
        struct pp_link measured;
        if (pp_link_measure(&job->world, message_bytes(&config->model), &measured,
                            error) != 0)
            return -1;
        if (wall || isnan(link.latency_s))
            link.latency_s = measured.latency_s;
        if (wall || isnan(link.bandwidth))
            link.bandwidth = measured.bandwidth;
    }
    if (kind == PP_CLOCK_VIRTUAL && !job->topology.own_core) {
        if (pp_cores_init(&job->cores, &job->world, job->topology.cores, error) != 0)
            return -1;
        job->clock.cores = &job->cores;
    }
    job->clock.link_latency = (int64_t)(link.latency_s * 1e9);
    job->clock.link_bandwidth = link.bandwidth;

    result->clock = kind == PP_CLOCK_WALL ? "wall" : "virtual";
    result->link_latency_s = link.latency_s;
    result->link_bandwidth = link.bandwidth;
    result->oversubscribed = !job->topology.own_core;
    result->cores = job->topology.cores;
    memcpy(result->host, job->topology.host, sizeof result->host);
    int length = 0;
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    MPI_Get_library_version(version, &length);
    snprintf(result->mpi, sizeof result->mpi, "%.*s", (int)strcspn(version, ","),
             version);
    pp_blas_description(result->blas, sizeof result->blas);
    return 0;
}

static int allocate(struct job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    const struct pp_schedule *schedule = config->schedule;
    struct pp_run_result *result = job->result;
    job->ops = schedule->first[job->world.rank + 1] - schedule->first[job->world.rank];
    job->measured = config->steps - config->warmup_steps;
    size_t rows = (size_t)job->measured + 1;
    job->spans = pp_touched_alloc((rows * job->ops + 1) * sizeof *job->spans);
    result->losses = calloc((size_t)config->steps, sizeof *result->losses);
    result->numbers = calloc(rows, sizeof *result->numbers);
    result->whole = calloc(rows, sizeof *result->whole);
    result->ranks = calloc((size_t)schedule->ranks, sizeof *result->ranks);
    if (!job->spans || !result->losses || !result->numbers || !result->whole ||
        !result->ranks)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d steps' timelines",
                       config->steps);
    return 0;
}

struct saving {
    struct pp_st_writer *writer;
    const struct pp_model_config *model;
};

static int write_tensor(void *data, int index, const real *values,
                        struct pp_error *error)
{
    struct saving *saving = data;
    size_t bytes = pp_model_tensor(saving->model, index).count * sizeof(real);
    return pp_st_append(saving->writer, values, bytes, error);
}

/* Declares the model's tensors, and the step's data where extra is 2. */
static struct pp_st_tensor *declare(const struct job *job, int count, int extra)
{
    const struct pp_model_config *model = &job->config->model;
    struct pp_st_tensor *list = calloc((size_t)(count + extra), sizeof *list);
    for (int i = 0; list && i < count; i++) {
        struct pp_tensor_spec spec = pp_model_tensor(model, i);
        list[i].dtype = PP_F32;
        list[i].rank = spec.rank;
        list[i].shape[0] = spec.shape[0];
        list[i].shape[1] = spec.shape[1];
        snprintf(list[i].name, sizeof list[i].name, "%s", spec.name);
    }
    for (int i = 0; list && i < extra; i++) {
        struct pp_st_tensor *data = &list[count + i];
        *data = (struct pp_st_tensor){
            .dtype = PP_I32,
            .rank = 3,
            .shape = {job->config->schedule->microbatches, model->microbatch_size,
                      model->seq_len, 1},
        };
        snprintf(data->name, sizeof data->name, "%s", i == 0 ? "tokens" : "targets");
    }
    return list;
}

/* The step's tokens or targets, drawn again: any rank can. */
static int write_data(const struct job *job, struct pp_st_writer *writer, bool targets,
                      int step, struct pp_error *error)
{
    const struct pp_model_config *model = &job->config->model;
    size_t T = (size_t)model->seq_len;
    int64_t samples =
        (int64_t)job->config->schedule->microbatches * model->microbatch_size;
    int32_t *rows = calloc(2 * T, sizeof *rows);
    int status = rows ? 0 : pp_fail(error, PP_ENVIRONMENT, "out of memory");
    for (int64_t i = 0; i < samples && status == 0; i++) {
        pp_corpus_sample(&job->trainer.corpus, step, i, rows, rows + T);
        status =
            pp_st_append(writer, targets ? rows + T : rows, T * sizeof *rows, error);
    }
    free(rows);
    return status;
}

/* Collective. Writes all values, or all gradients with the data of that step. */
static int save(struct job *job, const char *path, bool gradients, int step,
                struct pp_error *error)
{
    int count = job->trainer.tensors.count;
    int extra = gradients ? 2 : 0;
    struct saving saving = {.model = &job->config->model};
    int status = 0;
    if (job->world.rank == 0) {
        struct pp_st_tensor *list = declare(job, count, extra);
        if (!list)
            status = pp_fail(error, PP_ENVIRONMENT, "out of memory");
        else if (!(saving.writer = pp_st_create(path, list, count + extra, error)))
            status = -1;
        free(list);
    }
    if (pp_agree(&job->world, status, error) != 0)
        return -1;
    status = pp_tensors_gather(&job->trainer.tensors, gradients, write_tensor, &saving,
                               error);
    if (job->world.rank == 0) {
        for (int i = 0; i < extra && status == 0; i++)
            status = write_data(job, saving.writer, i == 1, step, error);
        if (status == 0)
            status = pp_st_finish(saving.writer, error);
        else
            pp_st_abandon(saving.writer);
    }
    return pp_agree(&job->world, status, error);
}

/* load: the file that may be the reason, NULL where it is not. */
static int refuse_numbers(const struct pp_run_config *config, const char *load,
                          int step, const char *what, struct pp_error *error)
{
    if (load)
        return pp_fail(error, PP_WRONG_NUMBERS,
                       "%s of step 1 is not finite: are the parameters in '%s'", what,
                       load);
    return pp_fail(error, PP_WRONG_NUMBERS,
                   "%s of step %d is not finite: try a smaller '--lr' than %g", what,
                   step, config->optimizer.lr);
}

static int train(struct job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    struct pp_run_result *result = job->result;
    for (int step = 1; step <= config->steps; step++) {
        int row = step - 1 - config->warmup_steps;
        struct pp_outcome outcome;
        pp_trainer_step(
            &job->trainer, step,
            job->spans + (size_t)(row >= 0 ? row : job->measured) * job->ops, &outcome);
        result->losses[step - 1] = outcome.loss;
        if (row >= 0) {
            result->numbers[row] = step;
            result->whole[row] = outcome.whole;
        }
        if (!isfinite(outcome.loss) || !isfinite(outcome.norm))
            return refuse_numbers(config, step == 1 ? config->load : NULL, step,
                                  isfinite(outcome.loss) ? "a gradient" : "loss",
                                  error);
        if (config->on_step && result->leads)
            config->on_step(config->on_step_data,
                            &(struct pp_progress){
                                .step = step,
                                .loss = outcome.loss,
                                .whole_s = (double)outcome.whole / 1e9,
                                .makespan_s = (double)outcome.makespan / 1e9,
                            });
        if (step == 1 && config->save_grads &&
            save(job, config->save_grads, true, step, error) != 0)
            return -1;
    }
    /* What no later step has looked at. */
    if (!pp_tensors_finite(&job->trainer.tensors))
        return refuse_numbers(config, NULL, config->steps,
                              "a parameter after the update", error);
    return 0;
}

/* Puts this rank's times on rank 0's clock where the hosts' clocks drifted apart. */
static void correct_drift(struct job *job)
{
    const struct pp_clock *clock = &job->clock;
    if (clock->kind != PP_CLOCK_WALL || clock->drift == 0)
        return;
    for (size_t k = 0; k < (size_t)job->measured * job->ops; k++) {
        struct pp_span *span = &job->spans[k];
        span->start = pp_clock_corrected(clock, span->start);
        span->end = pp_clock_corrected(clock, span->end);
        span->arrived = pp_clock_corrected(clock, span->arrived);
    }
}

/* When inputs were produced is known where all ranks' times have come together. */
static int set_ready(struct pp_run_result *result, const struct pp_schedule *schedule,
                     struct pp_error *error)
{
    struct pp_producers producers;
    if (pp_producers_init(&producers, schedule, error) != 0)
        return -1;
    for (int t = 0; t < result->timeline_count; t++)
        pp_producers_set_ready(&producers, result->timelines[t].spans);
    pp_producers_release(&producers);
    return 0;
}

/* Collective. Brings all ranks' spans together into rank 0's timelines. */
static int gather_timelines(struct job *job, struct pp_error *error)
{
    const struct pp_schedule *schedule = job->config->schedule;
    struct pp_run_result *result = job->result;
    int status = 0;
    if (result->leads) {
        result->timelines =
            calloc((size_t)job->measured + 1, sizeof *result->timelines);
        if (!result->timelines)
            status = pp_fail(error, PP_ENVIRONMENT, "out of memory for the timelines");
        for (int t = 0; t < job->measured && status == 0; t++) {
            status = pp_timeline_init(&result->timelines[t], schedule, error);
            result->timeline_count += status == 0;
        }
    }
    if (pp_agree(&job->world, status, error) != 0)
        return -1;
    assert(!result->leads || result->timelines);
    size_t bytes = job->ops * sizeof *job->spans;
    for (int t = 0; t < job->measured; t++) {
        struct pp_span *mine = job->spans + (size_t)t * job->ops;
        if (!result->leads) {
            pp_send_bytes(&job->world, mine, bytes, 0, PP_TAG_SPANS);
            continue;
        }
        struct pp_span *spans = result->timelines[t].spans;
        memcpy(spans + schedule->first[0], mine, bytes);
        for (int r = 1; r < schedule->ranks; r++)
            pp_receive_bytes(&job->world, spans + schedule->first[r],
                             (schedule->first[r + 1] - schedule->first[r]) *
                                 sizeof *spans,
                             r, PP_TAG_SPANS);
    }
    if (result->leads)
        status = set_ready(result, schedule, error);
    return pp_agree(&job->world, status, error);
}

/* Collective. What the pools counted and where the ranks ran. */
static void gather_ranks(struct job *job)
{
    const struct pp_rank *rank = &job->trainer.rank;
    struct pp_run_rank mine = {
        .peak_in_flight = rank->meter.peak,
        .peak_activation_bytes = rank->meter.peak_bytes,
    };
    for (int c = 0; c < rank->chunk_count; c++)
        mine.parameter_bytes +=
            (int64_t)(rank->chunks[c].model.real_count * sizeof(real));
    memcpy(mine.cpuset, job->topology.cpuset, sizeof mine.cpuset);
    if (!job->result->leads) {
        pp_send_bytes(&job->world, &mine, sizeof mine, 0, PP_TAG_SPANS);
        return;
    }
    job->result->ranks[0] = mine;
    for (int r = 1; r < job->world.size; r++)
        pp_receive_bytes(&job->world, &job->result->ranks[r], sizeof mine, r,
                         PP_TAG_SPANS);
}

static int verify(struct job *job, struct pp_error *error)
{
    struct pp_run_result *result = job->result;
    bool equal = false;
    result->verified = -1;
    if (!job->config->verify)
        return 0;
    if (pp_compare_with_sequential(&job->trainer, result->losses, &equal,
                                   &result->difference, error) != 0)
        return -1;
    result->verified = equal;
    return 0;
}

int pp_run(const struct pp_run_config *config, struct pp_run_result *result,
           struct pp_error *error)
{
    struct job job = {.config = config, .result = result};
    int status = -1;
    *result = (struct pp_run_result){.verified = -1};
    if (set_up(&job, error) != 0)
        goto done;
    if (pp_agree(&job.world, allocate(&job, error), error) != 0)
        goto done;
    if (pp_trainer_init(&job.trainer, config, &job.world, config->schedule,
                        config->layers_of, &job.clock, error) != 0)
        goto done;
    result->entropy_floor = pp_corpus_entropy_floor(&job.trainer.corpus);
    if (train(&job, error) != 0)
        goto done;
    pp_clock_realign(&job.clock, &job.world);
    correct_drift(&job);
    double clock_error = (double)job.clock.error / 1e9;
    pp_max_doubles(&job.world, &clock_error, 1);
    result->clock_error_s = clock_error;
    gather_ranks(&job);
    if (pp_tensors_digest(&job.trainer.tensors, result->digest, error) != 0 ||
        gather_timelines(&job, error) != 0 || verify(&job, error) != 0)
        goto done;
    double failed = result->verified == 0;
    pp_max_doubles(&job.world, &failed, 1);
    if (config->save && failed == 0 &&
        save(&job, config->save, false, config->steps, error) != 0)
        goto done;
    status = 0;
done:
    pp_trainer_release(&job.trainer);
    pp_cores_release(&job.cores);
    free(job.spans);
    MPI_Comm_free(&job.world.comm);
    return status;
}

void pp_run_result_release(struct pp_run_result *result)
{
    for (int t = 0; t < result->timeline_count; t++)
        pp_timeline_release(&result->timelines[t]);
    free(result->timelines);
    free(result->numbers);
    free(result->whole);
    free(result->losses);
    free(result->ranks);
    *result = (struct pp_run_result){0};
}
