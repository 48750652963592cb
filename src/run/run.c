#include "run/run.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/blas.h"
#include "run/checkpoint.h"
#include "run/compare.h"
#include "run/gather.h"
#include "run/link.h"
#include "run/save.h"
#include "run/shard.h"
#include "run/topology.h"
#include "timeline/hop.h"

/* The parts of one run, on one rank. */
struct job {
    struct pp_run_config own; /* without '--load' where a checkpoint takes its place */
    const struct pp_run_config *config; /* own */
    struct pp_run_result *result;
    struct pp_world world;
    struct pp_topology topology;
    struct pp_clock clock;
    struct pp_cores cores;
    struct pp_trainer trainer;
    struct pp_checkpoints checkpoints;
    struct pp_span *spans; /* [measured + 1][ops of this rank]: the last is for
                            * warm-up steps */
    struct pp_cpu *cpu;    /* [measured + 1][ops of this rank]; NULL: not counted */
    size_t ops;
    int warmup;   /* the steps of this process that are left out, and */
    int measured; /* those that are not */
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
    return topology->own_core && !config->slow ? PP_CLOCK_WALL : PP_CLOCK_VIRTUAL;
}

static size_t message_bytes(const struct pp_model_config *model)
{
    return sizeof(struct pp_wire) + (size_t)model->microbatch_size *
                                        (size_t)model->seq_len *
                                        (size_t)model->d_model * sizeof(real);
}

/* --- setting up -----------------------------------------------------------------
 * Collective, in this order; every step may use what those before it have found. */

/* A communicator of the run's own, so that its tags meet nobody else's. */
static void join_world(struct job *job)
{
    MPI_Comm_dup(MPI_COMM_WORLD, &job->world.comm);
    MPI_Comm_rank(job->world.comm, &job->world.rank);
    MPI_Comm_size(job->world.comm, &job->world.size);
    job->result->leads = job->world.rank == 0;
}

static int check_message_size(const struct job *job, struct pp_error *error)
{
    size_t bytes = message_bytes(&job->config->model);
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
static int find_cores(struct job *job, struct pp_error *error)
{
    if (pp_topology_init(&job->topology, &job->world, job->config->threads, error) != 0)
        return -1;
    job->world.own_core = job->topology.own_core;
    return 0;
}

static int start_blas(const struct job *job, struct pp_error *error)
{
    int status = pp_blas_init(job->config->threads, error);
    return pp_agree(&job->world, status, error);
}

static int start_clock(struct job *job, struct pp_error *error)
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
static int set_link(struct job *job, struct pp_error *error)
{
    double latency_s = job->config->link_latency_s;
    double bandwidth = job->config->link_bandwidth;
    bool measured = job->clock.kind == PP_CLOCK_WALL;
    if (measured || isnan(latency_s) || isnan(bandwidth)) {
        struct pp_link link;
        if (pp_link_measure(&job->world, message_bytes(&job->config->model), &link,
                            error) != 0)
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
static int share_cores(struct job *job, struct pp_error *error)
{
    if (job->clock.kind != PP_CLOCK_VIRTUAL || job->topology.own_core)
        return 0;
    if (pp_cores_init(&job->cores, &job->world, job->topology.cores, error) != 0)
        return -1;
    job->clock.cores = &job->cores;
    return 0;
}

/* What the report says of machine and libraries. */
static void describe_environment(const struct job *job)
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
static bool counts_cpu(const struct job *job)
{
    return job->clock.kind == PP_CLOCK_WALL && job->config->threads == 1;
}

/* Where training starts. Of what a resumed run has left to train, the warm-up is left
 * out as of any; but the last step is measured. */
static int find_start(struct job *job, struct pp_error *error)
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
static void take_history(struct job *job)
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
static int allocate(struct job *job, struct pp_error *error)
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

/* --- training -------------------------------------------------------------------- */

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
                   step, config->optimizer.lr.most);
}

/* Collective. Evaluates after the step where it is due; *loss NaN where not. */
static int evaluate(struct job *job, int step, double *loss, struct pp_error *error)
{
    struct pp_run_result *result = job->result;
    *loss = (double)NAN;
    if (!pp_evaluation_due(job->config, step))
        return 0;
    *loss = pp_evaluate(&job->trainer.evaluator);
    result->evaluations[result->evaluation_count++] =
        (struct pp_evaluation){step, *loss};
    if (isfinite(*loss))
        return 0;
    return refuse_numbers(job->config, NULL, step, "held-out loss after the update",
                          error);
}

/* What no later step has looked at. */
static int check_parameters(struct job *job, int step, struct pp_error *error)
{
    if (pp_tensors_finite(&job->trainer.tensors))
        return 0;
    return refuse_numbers(job->config, NULL, step, "a parameter after the update",
                          error);
}

static struct pp_losses losses_of(const struct job *job, int steps)
{
    const struct pp_run_result *result = job->result;
    return (struct pp_losses){result->losses, steps, result->evaluations,
                              result->evaluation_count};
}

static int write_checkpoint(struct job *job, int step, struct pp_error *error)
{
    const struct pp_losses losses = losses_of(job, step);
    return pp_checkpoints_write(&job->checkpoints, &job->trainer, &losses, error);
}

/* One step, noted in its row. */
static int train_step(struct job *job, int step, struct pp_outcome *outcome,
                      struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    struct pp_run_result *result = job->result;
    int before = step - 1 - job->checkpoints.start - job->warmup;
    size_t row = (size_t)(before >= 0 ? before : job->measured);
    size_t at = row * job->ops;
    if (pp_trainer_step(&job->trainer, step, job->spans + at,
                        job->cpu ? job->cpu + at : NULL, outcome, error) != 0)
        return -1;
    result->losses[step - 1] = outcome->loss;
    result->numbers[row] = step;
    result->durations[row] = outcome->duration;
    if (!isfinite(outcome->loss) || !isfinite(outcome->norm))
        return refuse_numbers(config, step == 1 ? config->load : NULL, step,
                              isfinite(outcome->loss) ? "a gradient" : "loss", error);
    double held_out;
    if (evaluate(job, step, &held_out, error) != 0)
        return -1;
    if (config->on_step && result->leads)
        config->on_step(config->on_step_data,
                        &(struct pp_progress){
                            .step = step,
                            .loss = outcome->loss,
                            .duration_s = (double)outcome->duration / 1e9,
                            .makespan_s = (double)outcome->makespan / 1e9,
                            .held_out = held_out,
                        });
    return 0;
}

/* The rows that a stopped run has filled. In its warm-up that is none: then the last
 * step stands for it. */
static void keep_rows(struct job *job)
{
    struct pp_run_result *result = job->result;
    size_t ops = job->ops, from = (size_t)job->measured;
    int rows = result->steps - job->checkpoints.start - job->warmup;
    job->measured = rows > 0 ? rows : 1;
    if (rows <= 0) {
        memcpy(job->spans, job->spans + from * ops, ops * sizeof *job->spans);
        if (job->cpu)
            memcpy(job->cpu, job->cpu + from * ops, ops * sizeof *job->cpu);
        result->numbers[0] = result->numbers[from];
        result->durations[0] = result->durations[from];
    }
}

/* What cannot be written is no reason to lose all else that has been trained. */
static bool set_fault(struct job *job, struct pp_error *error)
{
    job->result->fault = *error;
    *error = (struct pp_error){0};
    return true;
}

static int train(struct job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    struct pp_run_result *result = job->result;
    int first = job->checkpoints.start + 1;
    bool last = false;
    for (int step = first; !last; step++) {
        struct pp_outcome outcome;
        if (train_step(job, step, &outcome, error) != 0)
            return -1;
        last = step == config->steps || outcome.stop;
        result->steps = step;
        result->stopped = step < config->steps ? outcome.stop : 0;
        if (step == first && config->save_grads &&
            pp_save_gradients(&job->trainer, config->save_grads, step, error) != 0)
            return -1;
        bool keeps = pp_checkpoints_due(&job->checkpoints, step, last);
        if ((keeps || last) && check_parameters(job, step, error) != 0)
            return -1;
        if (keeps && write_checkpoint(job, step, error) != 0)
            last = set_fault(job, error);
    }
    keep_rows(job);
    return 0;
}

/* --- bringing together ----------------------------------------------------------- */

/* Collective. What the pools counted and where the ranks ran. */
static void gather_ranks(struct job *job)
{
    const struct pp_rank *rank = &job->trainer.rank;
    struct pp_run_rank mine = {
        .peak_in_flight = rank->meter.peak,
        .peak_activation_bytes = rank->meter.peak_bytes,
    };
    for (int c = 0; c < rank->chunk_count; c++) {
        int64_t bytes = (int64_t)(rank->chunks[c].model.real_count * sizeof(real));
        mine.parameter_bytes += bytes;
        mine.gradient_bytes += bytes;
        mine.optimizer_bytes += job->trainer.moments[c] ? 2 * bytes : 0;
    }
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

/* --- the run --------------------------------------------------------------------- */

static int set_up(struct job *job, struct pp_error *error)
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

/* Of the measured steps. */
static struct pp_noted noted_by(const struct job *job)
{
    return (struct pp_noted){job->spans, job->cpu, job->ops, job->measured};
}

/* On rank 0. On the wall clock what the run's messages took says more of the link than
 * what was measured at the start. */
static int fit_link(const struct job *job, struct pp_error *error)
{
    struct pp_run_result *result = job->result;
    double bytes = (double)message_bytes(&job->config->model), ns;
    if (pp_median_hop(result->timelines, result->timeline_count, &ns, error) != 0)
        return -1;
    if (!isnan(ns))
        pp_fit_hop(ns, bytes, &result->link_latency_s, &result->link_bandwidth);
    return 0;
}

/* Collective. */
static int gather_timelines(struct job *job, struct pp_error *error)
{
    struct pp_run_result *result = job->result;
    const struct pp_noted noted = noted_by(job);
    if (pp_gather_timelines(&job->world, job->config->schedule, &noted,
                            &result->timelines, &result->timeline_count, error) != 0)
        return -1;
    return pp_agree(&job->world, result->leads ? fit_link(job, error) : 0, error);
}

/* The ranks' clocks again: how far they are apart now, and the spans put right. */
static void align_clocks(struct job *job)
{
    const struct pp_noted noted = noted_by(job);
    pp_clock_realign(&job->clock, &job->world);
    pp_correct_drift(&job->clock, &noted);
    double clock_error = (double)job->clock.error / 1e9;
    pp_max_doubles(&job->world, &clock_error, 1);
    job->result->clock_error_s = clock_error;
}

static int verify(struct job *job, struct pp_error *error)
{
    struct pp_run_result *result = job->result;
    /* Who stops a run does not want it to train once more. */
    if (!job->config->verify || result->stopped || result->steps < job->config->steps)
        return 0;
    const struct pp_begin begin = {job->checkpoints.start, job->checkpoints.folder};
    const struct pp_losses losses = losses_of(job, job->config->steps);
    if (pp_compare_with_sequential(&job->trainer, &begin, &losses, &result->verified,
                                   &result->difference, &result->stopped, error) != 0)
        return -1;
    pp_checkpoints_let_go(&job->checkpoints);
    return 0;
}

/* Parameters that verify found wrong are not saved. Rank 0 knows. */
static void save(struct job *job, struct pp_error *error)
{
    double wrong = job->result->verified == 0;
    pp_max_doubles(&job->world, &wrong, 1);
    if (!job->config->save || wrong > 0)
        return;
    if (pp_save_parameters(&job->trainer, job->config->save, error) != 0)
        set_fault(job, error);
}

static void release(struct job *job)
{
    pp_checkpoints_release(&job->checkpoints);
    pp_trainer_release(&job->trainer);
    pp_cores_release(&job->cores);
    free(job->spans);
    free(job->cpu);
    MPI_Comm_free(&job->world.comm);
}

int pp_run(const struct pp_run_config *config, struct pp_run_result *result,
           struct pp_error *error)
{
    struct job job = {.own = *config, .config = &job.own, .result = result};
    int status = -1;
    *result = (struct pp_run_result){.verified = -1};
    if (set_up(&job, error) != 0 || train(&job, error) != 0)
        goto done;
    align_clocks(&job);
    gather_ranks(&job);
    if (pp_tensors_digest(&job.trainer.tensors, result->digest, error) == 0 &&
        gather_timelines(&job, error) == 0 && verify(&job, error) == 0) {
        save(&job, error);
        status = 0;
    }
done:
    release(&job);
    return status;
}

void pp_run_result_release(struct pp_run_result *result)
{
    for (int t = 0; t < result->timeline_count; t++)
        pp_timeline_release(&result->timelines[t]);
    free(result->timelines);
    free(result->numbers);
    free(result->durations);
    free(result->losses);
    free(result->evaluations);
    free(result->ranks);
    *result = (struct pp_run_result){0};
}
