#include "run/job.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "model/blas.h"
#include "run/shard.h"

size_t pp_job_message_bytes(const struct pp_job *job)
{
    const struct pp_model_config *model = &job->config->model;
    return sizeof(struct pp_wire) + (size_t)model->microbatch_size *
                                        (size_t)model->seq_len *
                                        (size_t)model->d_model * sizeof(real);
}

/* Collective, in this order; every step may use what those before it have found. */

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

static int find_site(struct pp_job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    return pp_site_init(&job->site,
                        &(struct pp_site_config){
                            .clock = config->clock,
                            .link_latency_s = config->link_latency_s,
                            .link_bandwidth = config->link_bandwidth,
                            .slow = config->slow,
                            .threads = config->threads,
                            .message_bytes = pp_job_message_bytes(job),
                        },
                        error);
}

/* On the wall clock, what ops need is not what they take. The CPU time of this thread
 * is what they need, unless BLAS has more threads. */
static bool counts_cpu(const struct pp_job *job)
{
    return job->site.clock.kind == PP_CLOCK_WALL && job->config->threads == 1;
}

/* Where training starts. Of what a resumed run has left to train, the warm-up is left
 * out as of any; but the last step is measured. */
static int find_start(struct pp_job *job, struct pp_error *error)
{
    const struct pp_run_config *config = job->config;
    struct pp_machine machine;
    pp_blas_description(machine.blas, sizeof machine.blas);
    memcpy(machine.cpu, job->site.topology.cpu, sizeof machine.cpu);
    if (pp_checkpoints_init(&job->checkpoints, config, &machine, &job->site.world,
                            error) != 0)
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
    job->ops = schedule->first[job->site.world.rank + 1] -
               schedule->first[job->site.world.rank];
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
    return pp_agree(&job->site.world, status, error);
}

int pp_job_set_up(struct pp_job *job, struct pp_error *error)
{
    pp_site_join(&job->site);
    job->result->leads = job->site.world.rank == 0;
    if (check_message_size(job, error) != 0 || find_site(job, error) != 0 ||
        find_start(job, error) != 0 || allocate(job, error) != 0)
        return -1;
    job->result->environment = job->site.environment;
    if (pp_trainer_init(&job->trainer, job->config, &job->site.world,
                        job->config->schedule, job->config->layers_of, &job->site.clock,
                        error) != 0)
        return -1;
    if (job->checkpoints.folder &&
        pp_shards_read(&job->trainer, job->checkpoints.folder, error) != 0)
        return -1;
    job->result->entropy_floor = pp_corpus_entropy_floor(&job->trainer.corpus);
    return 0;
}
