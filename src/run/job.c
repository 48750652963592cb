#include "run/job.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/blas.h"
#include "run/link.h"
#include "run/shard.h"

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
    return topology->own_core && !config->slow ? PP_CLOCK_WALL : PP_CLOCK_VIRTUAL;
}

size_t pp_job_message_bytes(const struct pp_job *job)
{
    const struct pp_model_config *model = &job->config->model;
    return sizeof(struct pp_wire) + (size_t)model->microbatch_size *
                                        (size_t)model->seq_len *
                                        (size_t)model->d_model * sizeof(real);
}

/* Collective, in this order; every step may use what those before it have found. */

/* A communicator of the run's own, so that its tags meet nobody else's. */
static void join_world(struct pp_job *job)
{
    MPI_Comm_dup(MPI_COMM_WORLD, &job->world.comm);
    MPI_Comm_rank(job->world.comm, &job->world.rank);
    MPI_Comm_size(job->world.comm, &job->world.size);
    job->result->leads = job->world.rank == 0;
}

static int check_message_size(const struct pp_job *job, struct pp_error *error)
{
    size_t bytes = pp_job_message_bytes(job);
    if (bytes <= INT_MAX)
        return 0;
    return pp_fail(
        error, PP_BAD_INPUT,
        "a message would have %zu bytes, but MPI takes at most %d: use a smaller "
        "'--microbatch-size', '--seq-len' or '--d-model'",
        bytes, INT_MAX);
}

/* Which cores there are; binds ranks to them. From here on waits know whether to spin.
 */
static int find_cores(struct pp_job *job, struct pp_error *error)
{
    if (pp_topology_init(&job->topology, &job->world, job->config->threads, error) != 0)
        return -1;
    job->world.own_core = job->topology.own_core;
    return 0;
}

static int start_blas(const struct pp_job *job, struct pp_error *error)
{
    int status = pp_blas_init(job->config->threads, error);
    return pp_agree(&job->world, status, error);
}

static int start_clock(struct pp_job *job, struct pp_error *error)
{
    enum pp_clock_kind kind = choose_clock(job->config, &job->topology);
    if (kind == PP_CLOCK_VIRTUAL && job->config->threads > 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "the virtual clock counts the CPU time of one thread: use "
                       "'--threads' 1, or '--clock' wall");
    pp_clock_init(&job->clock, kind, &job->world);
    if (job->config->slow)
        job->clock.slow = job->config->slow[job->world.rank];
    return 0;
}

/* The link's cost: as the user says, or measured. What the user says holds on the
 * virtual clock only; on the wall clock messages take the time they take. */
static int set_link(struct pp_job *job, struct pp_error *error)
{
    double latency_s = job->config->link_latency_s;
    double bandwidth = job->config->link_bandwidth;
    bool measured = job->clock.kind == PP_CLOCK_WALL;
    if (measured || isnan(latency_s) || isnan(bandwidth)) {
        struct pp_link link;
        if (pp_link_measure(&job->world, pp_job_message_bytes(job), &link, error) != 0)
            return -1;
        latency_s = measured || isnan(latency_s) ? link.latency_s : latency_s;
        bandwidth = measured || isnan(bandwidth) ? link.bandwidth : bandwidth;
    }
    job->clock.link_latency = (int64_t)(latency_s * 1e9);
    job->clock.link_bandwidth = bandwidth;
    job->result->link_latency_s = latency_s;
    job->result->link_bandwidth = bandwidth;
    return 0;
}

/* Where ranks share cores, an op on the virtual clock waits for a free one. */
static int share_cores(struct pp_job *job, struct pp_error *error)
{
    if (job->clock.kind != PP_CLOCK_VIRTUAL || job->topology.own_core)
        return 0;
    if (pp_cores_init(&job->cores, &job->world, job->topology.cores, error) != 0)
        return -1;
    job->clock.cores = &job->cores;
    return 0;
}

/* What the report says of machine and libraries. */
static void describe_environment(const struct pp_job *job)
{
    struct pp_run_result *result = job->result;
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    result->clock = job->clock.kind == PP_CLOCK_WALL ? "wall" : "virtual";
    result->oversubscribed = !job->topology.own_core;
    result->cores = job->topology.cores;
    memcpy(result->host, job->topology.host, sizeof result->host);
    MPI_Get_library_version(version, &length);
    snprintf(result->mpi, sizeof result->mpi, "%.*s", (int)strcspn(version, ","),
             version);
    pp_blas_description(result->blas, sizeof result->blas);
}

/* On the wall clock, what ops need is not what they take. The CPU time of this thread
 * is what they need, unless BLAS has more threads. */
static bool counts_cpu(const struct pp_job *job)
{
    return job->clock.kind == PP_CLOCK_WALL && job->config->threads == 1;
}

/* Where training starts. Of what a resumed run has left to train, the warm-up is left
 * out as of any; but the last step is measured. */
static int find_start(struct pp_job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    struct pp_machine machine;
    pp_blas_description(machine.blas, sizeof machine.blas);
    memcpy(machine.cpu, job->topology.cpu, sizeof machine.cpu);
    if (pp_checkpoints_init(&job->checkpoints, config, &machine, &job->world, error) !=
        0)
        return -1;
    int start = job->checkpoints.start, left = config->steps - start;
    job->result->resumed_from = start;
    if (start > 0)
        job->own.load = NULL;
    job->warmup = config->warmup_steps < left ? config->warmup_steps : left - 1;
    job->measured = left - job->warmup;
    return 0;
}

/* On rank 0: what was known when the checkpoint was written. */
static void take_history(struct pp_job *job)
{
    const struct pp_manifest *found = &job->checkpoints.found;
    struct pp_run_result *result = job->result;
    if (!found->losses)
        return;
    memcpy(result->losses, found->losses,
           (size_t)job->checkpoints.start * sizeof *result->losses);
    memcpy(result->evaluations, found->evaluations,
           (size_t)found->evaluation_count * sizeof *result->evaluations);
    result->evaluation_count = found->evaluation_count;
}

/* Spans, CPU times and losses of all steps, before the first. */
static int allocate(struct pp_job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    const struct pp_schedule *schedule = config->schedule;
    struct pp_run_result *result = job->result;
    job->ops = schedule->first[job->world.rank + 1] - schedule->first[job->world.rank];
    size_t rows = (size_t)job->measured + 1; /* the last one: see spans */
    job->spans = pp_touched_alloc((rows * job->ops + 1) * sizeof *job->spans);
    size_t evaluations = (size_t)job->checkpoints.found.evaluation_count;
    if (config->eval_every > 0)
        evaluations += (size_t)(config->steps / config->eval_every);
    result->losses = calloc((size_t)config->steps, sizeof *result->losses);
    result->evaluations = calloc(evaluations + 1, sizeof *result->evaluations);
    result->numbers = calloc(rows, sizeof *result->numbers);
    result->durations = calloc(rows, sizeof *result->durations);
    result->ranks = calloc((size_t)schedule->ranks, sizeof *result->ranks);
    int status = 0;
    if (counts_cpu(job))
        job->cpu = pp_touched_alloc((rows * job->ops + 1) * sizeof *job->cpu);
    if (!job->spans || (counts_cpu(job) && !job->cpu) || !result->losses ||
        !result->evaluations || !result->numbers || !result->durations ||
        !result->ranks)
        status = pp_fail(error, PP_ENVIRONMENT, "out of memory for %d steps' timelines",
                         config->steps);
    if (status == 0)
        take_history(job);
    return pp_agree(&job->world, status, error);
}

int pp_job_set_up(struct pp_job *job, struct pp_error *error)
{
    join_world(job);
    if (check_message_size(job, error) != 0 || find_cores(job, error) != 0 ||
        start_blas(job, error) != 0 || start_clock(job, error) != 0 ||
        set_link(job, error) != 0 || share_cores(job, error) != 0 ||
        find_start(job, error) != 0 || allocate(job, error) != 0)
        return -1;
    describe_environment(job);
    if (pp_trainer_init(&job->trainer, job->config, &job->world, job->config->schedule,
                        job->config->layers_of, &job->clock, error) != 0)
        return -1;
    if (job->checkpoints.folder &&
        pp_shards_read(&job->trainer, job->checkpoints.folder, error) != 0)
        return -1;
    job->result->entropy_floor = pp_corpus_entropy_floor(&job->trainer.corpus);
    return 0;
}
