#include "run/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run/compare.h"
#include "run/fault.h"
#include "run/gather.h"
#include "run/job.h"
#include "run/save.h"
#include "timeline/hop.h"

/* --- training -------------------------------------------------------------------- */

/* Collective. Evaluates after the step where it is due; *loss NaN where not. */
static int evaluate(struct pp_job *job, int step, double *loss, struct pp_error *error)
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
    return pp_refuse_numbers(&job->trainer, step, "held-out loss after the update",
                             error);
}

static struct pp_losses losses_of(const struct pp_job *job, int steps)
{
    const struct pp_run_result *result = job->result;
    return (struct pp_losses){result->losses, steps, result->evaluations,
                              result->evaluation_count};
}

static int write_checkpoint(struct pp_job *job, int step, struct pp_error *error)
{
    const struct pp_losses losses = losses_of(job, step);
    return pp_checkpoints_write(&job->checkpoints, &job->trainer, &losses, error);
}

/* One step, noted in its row. */
static int train_step(struct pp_job *job, int step, struct pp_outcome *outcome,
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
        return pp_refuse_step(&job->trainer, step, outcome, error);
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
static void keep_rows(struct pp_job *job)
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
static bool set_fault(struct pp_job *job, struct pp_error *error)
{
    job->result->fault = *error;
    *error = (struct pp_error){0};
    return true;
}

static int train(struct pp_job *job, struct pp_error *error)
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
        if ((keeps || last) && pp_check_parameters(&job->trainer, step, error) != 0)
            return -1;
        if (keeps && write_checkpoint(job, step, error) != 0)
            last = set_fault(job, error);
    }
    keep_rows(job);
    return 0;
}

/* --- bringing together ----------------------------------------------------------- */

/* Collective. What the pools counted and where the ranks ran. */
static void gather_ranks(struct pp_job *job)
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
    memcpy(mine.cpuset, job->site.topology.cpuset, sizeof mine.cpuset);
    if (!job->result->leads) {
        pp_send_bytes(&job->site.world, &mine, sizeof mine, 0, PP_TAG_SPANS);
        return;
    }
    job->result->ranks[0] = mine;
    for (int r = 1; r < job->site.world.size; r++)
        pp_receive_bytes(&job->site.world, &job->result->ranks[r], sizeof mine, r,
                         PP_TAG_SPANS);
}

/* --- the run --------------------------------------------------------------------- */

/* Of the measured steps. */
static struct pp_noted noted_by(const struct pp_job *job)
{
    return (struct pp_noted){job->spans, job->cpu, job->ops, job->measured};
}

/* On rank 0. On the wall clock what the run's messages took says more of the link than
 * what was measured at the start. */
static int fit_link(const struct pp_job *job, struct pp_error *error)
{
    struct pp_run_result *result = job->result;
    double bytes = (double)pp_job_message_bytes(job), ns;
    if (pp_median_hop(result->timelines, result->timeline_count, &ns, error) != 0)
        return -1;
    if (!isnan(ns))
        pp_fit_hop(ns, bytes, &result->environment.link_latency_s,
                   &result->environment.link_bandwidth);
    return 0;
}

/* Collective. */
static int gather_timelines(struct pp_job *job, struct pp_error *error)
{
    struct pp_run_result *result = job->result;
    const struct pp_noted noted = noted_by(job);
    if (pp_gather_timelines(&job->site.world, job->config->schedule, &noted,
                            &result->timelines, &result->timeline_count, error) != 0)
        return -1;
    if (pp_gather_reductions(&job->trainer.rank.reducer, result->numbers,
                             job->checkpoints.start + 1, job->measured,
                             result->timelines, error) != 0)
        return -1;
    return pp_agree(&job->site.world, result->leads ? fit_link(job, error) : 0, error);
}

/* The ranks' clocks again: how far they are apart now, and the spans put right. */
static void align_clocks(struct pp_job *job)
{
    const struct pp_noted noted = noted_by(job);
    pp_clock_realign(&job->site.clock, &job->site.world);
    pp_correct_drift(&job->site.clock, &noted);
    double clock_error = (double)job->site.clock.error / 1e9;
    pp_max_doubles(&job->site.world, &clock_error, 1);
    job->result->environment.clock_error_s = clock_error;
}

static int verify(struct pp_job *job, struct pp_error *error)
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
static void save(struct pp_job *job, struct pp_error *error)
{
    double wrong = job->result->verified == 0;
    pp_max_doubles(&job->site.world, &wrong, 1);
    if (!job->config->save || wrong > 0)
        return;
    if (pp_save_parameters(&job->trainer, job->config->save, error) != 0)
        set_fault(job, error);
}

static void release(struct pp_job *job)
{
    pp_checkpoints_release(&job->checkpoints);
    pp_trainer_release(&job->trainer);
    free(job->spans);
    free(job->cpu);
    pp_site_release(&job->site);
}

int pp_run(const struct pp_run_config *config, struct pp_run_result *result,
           struct pp_error *error)
{
    struct pp_job job = {.own = *config, .config = &job.own, .result = result};
    int status = -1;
    *result = (struct pp_run_result){.verified = -1};
    if (pp_job_set_up(&job, error) != 0 || train(&job, error) != 0)
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
