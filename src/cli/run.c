/* ppsim run: real training across ranks. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "cli/gate.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/terminal.h"
#include "cli/verdicts.h"
#include "model/corpus.h"
#include "model/weights.h"
#include "predict/predict.h"
#include "run/fit.h"
#include "run/launch.h"
#include "run/run.h"
#include "run/save_folder.h"
#include "simulate/cost_text.h"
#include "version.h"

struct progress {
    FILE *stream;
    int steps;
    double tokens; /* per step */
};

static void print_progress(void *data, const struct pp_progress *step)
{
    const struct progress *progress = data;
    fprintf(progress->stream, "step %*d/%d   loss %.4f   %9.2f ms   %9.0f tokens/s",
            progress->steps >= 1000 ? 5 : 3, step->step, progress->steps, step->loss,
            step->duration_s * 1e3, progress->tokens / step->duration_s);
    if (isfinite(step->held_out))
        fprintf(progress->stream, "   held-out loss %.4f", step->held_out);
    fputc('\n', progress->stream);
    fflush(progress->stream);
}

static double tokens_of(const struct pp_plan *plan)
{
    return (double)plan->schedule.microbatches * plan->model.microbatch_size *
           plan->model.seq_len;
}

/* A combination that means something, as Megatron-LM asserts too. */
static int check_rate(const struct pp_options *options, struct pp_error *error)
{
    const struct pp_learning_rate rate = pp_plan_rate(options);
    if (rate.kind == PP_RATE_CONSTANT &&
        (rate.least > 0 || options->lr_decay_steps > 0))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' says where a cosine ends: give '--lr-schedule' cosine",
                       rate.least > 0 ? "lr-min" : "lr-decay-steps");
    if (rate.least > rate.most)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--lr-min' %g is above '--lr' %g: at most that", rate.least,
                       rate.most);
    if (rate.kind == PP_RATE_COSINE && rate.warmup >= rate.decay)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--lr-warmup' %d leaves nothing of the %d steps in which the "
                       "cosine ends: at most %d",
                       rate.warmup, rate.decay, rate.decay - 1);
    return 0;
}

static int configure(struct pp_run_config *config, const struct pp_options *options,
                     const struct pp_plan *plan, struct pp_error *error)
{
    struct pp_hop hop = {.latency = -1, .bandwidth = (double)NAN};
    if (options->link && pp_link_text("link", options->link, &hop, error) != 0)
        return -1;
    if (options->warmup_steps >= options->steps)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--warmup-steps' %d leaves none of '--steps' %d to measure: at "
                       "most %d",
                       options->warmup_steps, options->steps, options->steps - 1);
    if (check_rate(options, error) != 0)
        return -1;
    if (options->eval_every > 0 && options->data && !options->eval_data)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--eval-every' with '--data' needs '--eval-data': a file that "
                       "is not trained on");
    if (plan->slow && options->clock == PP_CHOOSE_WALL)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--slow' needs '--clock' virtual: on the wall clock an op takes "
            "the time that it takes");
    *config = (struct pp_run_config){
        .schedule = &plan->schedule,
        .model = plan->model,
        .layers_of = plan->layers_of,
        .optimizer =
            {
                .kind = options->optimizer,
                .lr = pp_plan_rate(options),
                .beta1 = 0.9,
                .beta2 = 0.999,
                .epsilon = 1e-8,
                .weight_decay = options->weight_decay,
            },
        .clip_norm = options->clip_norm,
        .seed = (uint64_t)options->seed,
        .steps = options->steps,
        .warmup_steps = options->warmup_steps,
        .data = options->data,
        .load = options->load,
        .eval_every = options->eval_every,
        .eval_microbatches = pp_plan_eval_microbatches(plan, options),
        .eval_data = options->eval_data,
        .save = options->save,
        .save_grads = options->save_grads,
        .checkpoint = options->checkpoint,
        .checkpoint_every = options->checkpoint_every,
        .keep = options->keep,
        .resume = options->resume,
        .clock = options->clock,
        .link_latency_s = hop.latency < 0 ? (double)NAN : (double)hop.latency / 1e9,
        .link_bandwidth = hop.bandwidth,
        .slow = plan->slow,
        .threads = options->threads,
        .verify = options->verify,
    };
    return 0;
}

/* path NULL: no file. */
static int check_data(const char *path, const struct pp_plan *plan,
                      struct pp_error *error)
{
    struct pp_corpus corpus;
    if (pp_corpus_init(&corpus, path, 0, plan->model.vocab, plan->model.seq_len,
                       error) != 0)
        return -1;
    pp_corpus_release(&corpus);
    return 0;
}

/* Finds what is wrong with files before the ranks run: reads the inputs, tries the
 * outputs. */
static int check_files(const struct pp_options *options, const struct pp_plan *plan,
                       struct pp_error *error)
{
    struct pp_weights weights;
    if (pp_output_paths_check(options, error) != 0 ||
        check_data(options->data, plan, error) != 0 ||
        check_data(options->eval_data, plan, error) != 0)
        return -1;
    if (!options->load)
        return 0;
    if (pp_weights_open_as(&weights, options->load, &plan->model, error) != 0)
        return -1;
    pp_weights_close(&weights);
    return 0;
}

static void describe(struct pp_report *report, const struct pp_run_result *result,
                     int chunks)
{
    pp_describe_environment(report, &result->environment);
    for (int r = 0; r < report->schedule.ranks; r++) {
        struct pp_report_rank *rank = &report->ranks[r];
        rank->peak_in_flight = (double)result->ranks[r].peak_in_flight / chunks;
        rank->peak_activation_bytes = (double)result->ranks[r].peak_activation_bytes;
        rank->parameter_bytes = (double)result->ranks[r].parameter_bytes;
        rank->gradient_bytes = (double)result->ranks[r].gradient_bytes;
        rank->optimizer_bytes = (double)result->ranks[r].optimizer_bytes;
        memcpy(rank->cpuset, result->ranks[r].cpuset, sizeof rank->cpuset);
    }
}

/* What each step was trained at. */
static int set_rates(struct pp_report_training *training,
                     const struct pp_options *options, struct pp_error *error)
{
    const struct pp_learning_rate rate = pp_plan_rate(options);
    training->rates = malloc((size_t)training->loss_count * sizeof *training->rates);
    if (!training->rates)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d steps",
                       training->loss_count);
    for (int i = 0; i < training->loss_count; i++)
        training->rates[i] = pp_learning_rate(&rate, i + 1);
    training->rate_count = training->loss_count;
    return 0;
}

/* On rank 0: makes the report. It takes over the plan's schedule and the result's
 * timelines.
 */
static int make_report(struct pp_report *report, const struct pp_options *options,
                       struct pp_plan *plan, struct pp_run_result *result,
                       struct pp_error *error)
{
    struct pp_costs costs = {0};
    struct pp_equal_costs equal;
    int chunks = plan->schedule.chunks;
    json_t *config = pp_plan_config(plan, options);
    const struct pp_measured measured = {
        .schedule = &plan->schedule,
        .timelines = result->timelines,
        .numbers = result->numbers,
        .durations = result->durations,
        .count = result->timeline_count,
        .tokens = tokens_of(plan),
    };
    int taken = pp_report_measure(report, &measured, error);
    result->timeline_count = 0;
    report->config = config;
    if (taken != 0)
        return -1;
    if (!config)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    pp_assign(report->command, sizeof report->command, "run");
    pp_assign(report->version, sizeof report->version, "%s", PP_VERSION);
    describe(report, result, chunks);

    report->training = (struct pp_report_training){
        .losses = result->losses,
        .loss_count = result->steps,
        .resumed_from =
            result->resumed_from > 0 ? (double)result->resumed_from : (double)NAN,
        .stopped_after = result->stopped || result->steps < options->steps
                             ? (double)result->steps
                             : (double)NAN,
        .entropy_floor = result->entropy_floor,
        .verified = result->verified,
        .evaluations = result->evaluations,
        .evaluation_count = result->evaluation_count,
    };
    result->evaluations = NULL;
    memcpy(report->training.digest, result->digest, sizeof result->digest);
    result->losses = NULL;
    if (set_rates(&report->training, options, error) != 0)
        return -1;

    if (pp_costs_from_report(&costs, report, &report->schedule,
                             pp_message_bytes(&plan->model), error) != 0)
        return -1;
    int status = pp_predict(&report->schedule, &costs, &report->predicted,
                            &report->predicted_makespan_s, error);
    pp_costs_equal(&costs, &report->schedule, &equal);
    equal.hop = 0; /* theory assumes free links: the bubble of the schedule alone */
    pp_set_theory(report, plan->row, &plan->shape, &equal, NULL);
    pp_costs_release(&costs);
    return status;
}

/* Says that the run was stopped, which is how it ends unless something has failed. */
static int say_stopped(const struct pp_report *report, const struct pp_options *options,
                       int number, int status)
{
    double after = report->training.stopped_after;
    fprintf(stderr, "ppsim: stopped after step %.0f of %d%s%s\n", after, options->steps,
            after == options->steps ? ", before it was verified" : "",
            options->checkpoint && after < options->steps
                ? ": '--resume' goes on from there"
                : "");
    if (status == PP_ENVIRONMENT || status == PP_WRONG_NUMBERS)
        return status;
    return number == SIGINT ? PP_INTERRUPTED : PP_TERMINATED;
}

static void warn_of_tokenizer(const struct pp_options *options)
{
    if (options->save && pp_save_folder_named(options->save) &&
        !pp_save_folder_has_tokenizer(options->vocab))
        fprintf(stderr,
                "ppsim: warning: '%s' has no tokenizer: its tokens would be bytes, but "
                "'--vocab' %d is less than 256\n",
                options->save, options->vocab);
}

/* On every rank: trains; rank 0 reports. Returns the exit status. */
static int train(struct pp_options *options, struct pp_plan *plan,
                 struct pp_run_config *config, const struct pp_gate *gate,
                 struct pp_error *error)
{
    struct pp_terminal terminal = pp_terminal_detect(true);
    struct progress progress = {stderr, options->steps, tokens_of(plan)};
    struct pp_run_result result = {0};
    struct pp_report report = {0};
    int status = PP_DONE;
    if (terminal.errors && !options->quiet) {
        config->on_step = print_progress;
        config->on_step_data = &progress;
    }
    config->numbers = pp_plan_numbers(plan, options);
    int ran = config->numbers
                  ? 0
                  : pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    ran = pp_world_agree(ran, error);
    if (ran == 0)
        ran = pp_run(config, &result, error);
    json_decref(config->numbers);
    config->on_step_data = NULL;
    if (ran != 0) {
        pp_run_result_release(&result);
        return error->status;
    }
    if (result.leads) {
        pp_warn_of_clock(&result.environment, plan->schedule.ranks, options->link);
        warn_of_tokenizer(options);
        int verified = result.verified;
        struct pp_error difference = result.difference;
        if (make_report(&report, options, plan, &result, error) != 0)
            status = error->status;
        else
            status = pp_output_and_judge(&report, options, &terminal, gate);
        if (verified == 0 && (status == PP_DONE || status == PP_CHECK_FAILED)) {
            status = pp_print_error(&difference);
        }
        if (result.fault.lines > 0)
            status = pp_print_error(&result.fault);
        if (result.stopped)
            status = say_stopped(&report, options, result.stopped, status);
        pp_report_release(&report);
    }
    pp_run_result_release(&result);
    return status;
}

/* Joins the world that a launcher started: its version and its size. */
static int join(struct pp_options *options, int *rank, int *world,
                struct pp_error *error)
{
    if (pp_world_enter(PP_VERSION, rank, world, error) != 0)
        return -1;
    pp_world_watch(options->timeout);
    if (options->ranks == 0 && !pp_plan_is_file(options->schedule))
        options->ranks = *world;
    return 0;
}

static int check_hosts(const struct pp_options *options, struct pp_error *error)
{
    if (!options->hosts || !pp_launched_by_user())
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "'--hosts' is for ranks that ppsim starts: give the file to the "
                   "mpirun that started these ('--hostfile')");
}

/* What went wrong when all was done and judged. */
static int tell_late(struct pp_error *error)
{
    int status = pp_print_error(error);
    *error = (struct pp_error){0};
    return status;
}

int pp_command_run(struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_plan plan = {0};
    struct pp_run_config config;
    struct pp_gate gate = {0};
    bool launched = pp_launched();
    int rank = 0, world = 0, status = 0;
    if (launched && join(options, &rank, &world, &error) != 0) {
        if (rank == 0)
            pp_refuse(options, &error);
        return pp_world_leave((int)error.status);
    }
    if (check_hosts(options, &error) != 0 ||
        pp_plan_init(&plan, options, &error) != 0 ||
        configure(&config, options, &plan, &error) != 0 ||
        pp_gate_init(&gate, options, &plan, &error) != 0)
        status = -1;
    if (status == 0 && launched && plan.schedule.ranks != world)
        status = pp_fail(
            &error, PP_BAD_INPUT,
            "the schedule has %d ranks, but mpirun started %d: use the same number",
            plan.schedule.ranks, world);
    if (status == 0 && rank == 0)
        status = check_files(options, &plan, &error);
    if (status == 0 && !launched && !options->hosts)
        status = pp_run_fits(&config, &error);
    if (launched)
        status = pp_world_agree(status, &error);
    if (status == 0 && launched)
        status = pp_world_fits(&config, &error);
    if (status != 0) {
        status = error.status;
    } else if (launched) {
        status = train(options, &plan, &config, &gate, &error);
    } else {
        struct pp_terminal terminal = pp_terminal_detect(false);
        pp_terminal_hand_down(&terminal);
        if (pp_launch(plan.schedule.ranks, options->hosts, options->argv, false,
                      options->timeout, &status, &error) != 0) {
            status = error.status;
            pp_output_paths_tidy(options);
        } else if (error.lines > 0) { /* the verdicts have been told */
            status = tell_late(&error);
        }
    }
    if (rank == 0 && error.lines > 0)
        pp_refuse(options, &error);
    pp_gate_release(&gate);
    pp_plan_release(&plan);
    return launched ? pp_world_leave(status) : status;
}
