#include "cli/gate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/output.h"
#include "base/words.h"
#include "cli/rerun.h"
#include "cli/simulation.h"
#include "cli/terminal.h"
#include "cli/verdicts.h"
#include "report/export/json.h"
#include "report/gate/configuration.h"
#include "report/gate/trust.h"
#include "report/gate/where.h"
#include "run/launch.h"
#include "run/run.h"

static const struct pp_option_facts facts = {pp_options_decides, pp_options_orders,
                                             pp_options_default, pp_simulation_implies};

static struct pp_configuration configuration_of(const struct pp_report *report)
{
    return (struct pp_configuration){
        .command = report->command,
        .clock = report->environment.clock,
        .config = report->config,
    };
}

/* How the first result comes into a history that later ones are held against. */
static const char *first_row(const struct pp_options *options)
{
    bool appends =
        options->history && pp_output_same(options->history, options->baseline);
    return appends ? "run once without '--baseline'"
                   : "run once without '--baseline' but with '--history'";
}

/* The medians of the rows of this configuration. */
static int take_medians(const struct pp_gate *gate, const struct pp_options *options,
                        const struct pp_configuration *now,
                        double figures[PP_MOST_FIGURES], struct pp_error *error)
{
    char hash[PP_CONFIGURATION_TEXT];
    if (pp_configuration_hash(now, &facts, hash, error) != 0)
        return -1;
    int rows = pp_history_medians(&gate->history, hash, now->clock,
                                  options->baseline_last, figures);
    if (rows < 0)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the medians of '%s'",
                       options->baseline);
    if (rows > 0)
        return 0;
    return pp_fail(
        error, PP_BAD_INPUT,
        "'--baseline' '%s' has no row that did not fail of this configuration, %s (%s, "
        "%" JSON_INTEGER_FORMAT " ranks, %" JSON_INTEGER_FORMAT
        " microbatches%s%s): %s to append one",
        options->baseline, hash,
        json_string_value(json_object_get(now->config, "schedule")),
        json_integer_value(json_object_get(now->config, "ranks")),
        json_integer_value(json_object_get(now->config, "microbatches")),
        now->clock ? ", clock " : "", now->clock ? now->clock : "", first_row(options));
}

/* Is the baseline of this configuration? */
static int check_configuration(const struct pp_gate *gate,
                               const struct pp_options *options,
                               const struct pp_configuration *now,
                               struct pp_error *error)
{
    double figures[PP_MOST_FIGURES];
    struct pp_configuration before = configuration_of(&gate->baseline);
    if (gate->history.rows)
        return take_medians(gate, options, now, figures, error);
    return pp_configuration_compare(&before, now, &facts, options->baseline, error);
}

static int read_baseline(struct pp_gate *gate, const struct pp_options *options,
                         struct pp_error *error)
{
    const char *path = options->baseline;
    if (access(path, R_OK) != 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "cannot read '--baseline' '%s': write it first with "
                       "'--update-baseline'; or, for a history, %s",
                       path, first_row(options));
    gate->compares = true;
    if (!pp_history_is(path)) {
        if (pp_options_given(options, "baseline-last"))
            return pp_fail(error, PP_BAD_INPUT,
                           "'--baseline-last' is for a history; '%s' is none", path);
        return pp_report_read_json(&gate->baseline, path, error);
    }
    if (options->update_baseline)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--update-baseline' writes a report, '%s' is a history: append "
                       "to it with '--history'",
                       path);
    if (pp_history_read(&gate->history, path, error) != 0)
        return -1;
    if (gate->history.count == 0)
        return pp_fail(error, PP_BAD_INPUT, "'--baseline' '%s' has no rows yet: %s",
                       path, first_row(options));
    return 0;
}

/* Nothing is held against times that would not have been judged themselves. */
static int trust_baseline(const struct pp_gate *gate, const struct pp_options *options,
                          struct pp_error *error)
{
    struct pp_error why = {0};
    if (options->force || gate->history.rows ||
        pp_report_trust_times(&gate->baseline, &why) == 0)
        return 0;
    return pp_fail(error, PP_BAD_INPUT, "baseline '%s': %s", options->baseline,
                   why.text);
}

/* A run of another configuration is refused before it starts; a simulation is quick
 * enough to be refused afterwards. */
static int check_early(const struct pp_gate *gate, const struct pp_options *options,
                       const struct pp_plan *plan, struct pp_error *error)
{
    if (options->work == PP_SIMULATE)
        return 0;
    json_t *config = pp_plan_config(plan, options);
    const struct pp_configuration now = {.command = "run", .config = config};
    int status =
        config ? check_configuration(gate, options, &now, error)
               : pp_fail(error, PP_ENVIRONMENT, "out of memory for the configuration");
    json_decref(config);
    return status;
}

/* Is any figure judged that depends on times, or will later be? */
static bool judges_times(const struct pp_gate *gate, const struct pp_options *options)
{
    for (int i = 0; i < gate->check_count; i++) {
        if (pp_figure_of_times(gate->checks[i].figure))
            return true;
    }
    return options->baseline || options->history;
}

/* Refuses before the ranks are started what would be refused afterwards. */
static int check_clock_early(const struct pp_gate *gate,
                             const struct pp_options *options,
                             const struct pp_plan *plan, struct pp_error *error)
{
    if (options->work != PP_RUN || options->clock != PP_CHOOSE_WALL || options->force ||
        !judges_times(gate, options) || pp_launched() || options->hosts ||
        !pp_launch_oversubscribes(plan->schedule.ranks, options->threads))
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "%d ranks would share cores under the wall clock, so their times "
                   "would be noise: use '--clock' virtual, or '--force' to judge them "
                   "anyway",
                   plan->schedule.ranks);
}

int pp_gate_init(struct pp_gate *gate, const struct pp_options *options,
                 const struct pp_plan *plan, struct pp_error *error)
{
    *gate = (struct pp_gate){
        .checks = calloc((size_t)options->checks.count + 1, sizeof *gate->checks),
        .check_count = options->checks.count,
    };
    if (!gate->checks)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the checks");
    for (int i = 0; i < gate->check_count; i++) {
        if (pp_check_parse(&gate->checks[i], "check", options->checks.items[i],
                           plan->schedule.ranks, error) != 0)
            return -1;
    }
    if (pp_tolerances_parse(&gate->tolerances, options->tolerance, plan->schedule.ranks,
                            options->work == PP_SIMULATE, error) != 0 ||
        check_clock_early(gate, options, plan, error) != 0)
        return -1;
    if (options->history && pp_history_check(options->history, error) != 0)
        return -1;
    if (!options->baseline ||
        (options->update_baseline && !pp_history_is(options->baseline)))
        return 0;
    if (read_baseline(gate, options, error) != 0 ||
        trust_baseline(gate, options, error) != 0)
        return -1;
    return check_early(gate, options, plan, error);
}

void pp_gate_release(struct pp_gate *gate)
{
    free(gate->checks);
    pp_report_release(&gate->baseline);
    pp_history_release(&gate->history);
    *gate = (struct pp_gate){0};
}

/* Appends the baseline's verdicts to those there are. A baseline of which nothing could
 * be judged must not pass. */
static int judge_baseline(const struct pp_gate *gate, const struct pp_report *report,
                          const struct pp_options *options, struct pp_verdict *verdicts,
                          int *count, struct pp_error *error)
{
    double figures[PP_MOST_FIGURES];
    struct pp_configuration now = configuration_of(report);
    struct pp_baseline baseline = {.report = &gate->baseline};
    if (gate->history.rows) {
        baseline = (struct pp_baseline){.figures = figures};
        if (take_medians(gate, options, &now, figures, error) != 0)
            return -1;
    } else if (check_configuration(gate, options, &now, error) != 0) {
        return -1;
    }
    struct pp_verdicts made = {
        .items = verdicts + *count,
        .count =
            pp_baseline_judge(&baseline, report, &gate->tolerances, verdicts + *count),
    };
    *count += made.count;
    if (pp_verdicts_count(&made, PP_NOT_JUDGED) < made.count)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "nothing was judged: '--baseline' '%s' knows none of the figures",
                   options->baseline);
}

/* What is said beside the verdicts. */
struct advice {
    struct pp_where where;
    char *rerun, *go_on; /* owned */
    char note[256];
};

/* The schedule of the baseline where its name is another than the report's; or NULL. */
static int find_other_schedule(const struct pp_gate *gate,
                               const struct pp_report *report,
                               const struct pp_options *options, const char **other,
                               struct pp_error *error)
{
    const char *before = gate->baseline.schedule.name, *now = report->schedule.name;
    struct pp_configuration configuration = configuration_of(report);
    char hash[PP_CONFIGURATION_TEXT];
    *other = NULL;
    if (!gate->compares)
        return 0;
    if (!gate->history.rows) {
        *other = strcmp(before, now) != 0 ? before : NULL;
        return 0;
    }
    if (pp_configuration_hash(&configuration, &facts, hash, error) != 0)
        return -1;
    *other = pp_history_other_schedule(&gate->history, hash, configuration.clock,
                                       options->baseline_last, now);
    return 0;
}

/* Files of two names, or a file and a schedule of the catalogue, are judged by what
 * they do: said, lest one of them was meant to be the other. */
static int note_schedules(struct advice *advice, const struct pp_gate *gate,
                          const struct pp_report *report,
                          const struct pp_options *options, struct pp_error *error)
{
    const char *other;
    if (find_other_schedule(gate, report, options, &other, error) != 0)
        return -1;
    if (other)
        pp_assign(advice->note, sizeof advice->note,
                  "the baseline's schedule is '%s', this one's '%s': they are judged "
                  "by what they do",
                  other, report->schedule.name);
    return 0;
}

static bool was_stopped(const struct pp_report *report)
{
    return isfinite(report->training.stopped_after);
}

static void note_stop(struct advice *advice, const struct pp_report *report)
{
    if (was_stopped(report))
        pp_append(advice->note, sizeof advice->note,
                  "%sthe run was stopped after step %.0f: judged on %d step%s",
                  advice->note[0] ? "; " : "", report->training.stopped_after,
                  report->step_count, report->step_count == 1 ? "" : "s");
}

static int advise(struct advice *advice, const struct pp_gate *gate,
                  const struct pp_report *report, const struct pp_options *options,
                  struct pp_error *error)
{
    bool by_report = gate->compares && !gate->history.rows;
    advice->where = (struct pp_where){.rank = -1, .reordered = -1};
    advice->rerun = pp_rerun_command(options, report->schedule.ranks);
    advice->go_on = pp_go_on_command(options, report->schedule.ranks,
                                     by_report ? options->baseline : NULL);
    if (!advice->rerun || !advice->go_on)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the verdicts");
    if (note_schedules(advice, gate, report, options, error) != 0)
        return -1;
    note_stop(advice, report);
    pp_make_printable(advice->note); /* a file's schedule has any name */
    return by_report ? pp_where_changed(&advice->where, &gate->baseline, report, error)
                     : 0;
}

/* The verdicts are of the caller's advice, and end before it. */
static int print_advised(const struct pp_verdict *items, int count,
                         const struct advice *advice, const struct pp_options *options,
                         struct pp_error *error)
{
    bool file = options->schedule && pp_plan_is_file(options->schedule);
    const struct pp_verdicts verdicts = {
        .items = items,
        .count = count,
        .note = advice->note[0] ? advice->note : NULL,
        .file = file ? options->schedule : NULL,
        .changed_row = advice->where.reordered + 1,
        .where = advice->where.text[0] ? advice->where.text : NULL,
        .where_rank = advice->where.rank,
        .rerun = advice->rerun,
        .go_on = advice->go_on,
    };
    return pp_verdicts_print(options, &verdicts, error);
}

static int print(const struct pp_verdict *items, int count, const struct pp_gate *gate,
                 const struct pp_report *report, const struct pp_options *options,
                 struct pp_error *error)
{
    struct advice advice = {0};
    int status = advise(&advice, gate, report, options, error);
    if (status == 0)
        status = print_advised(items, count, &advice, options, error);
    free(advice.rerun);
    free(advice.go_on);
    return status;
}

/* A step of the warm-up is reported where there is no other, but not judged. */
static int check_measured(const struct pp_report *report,
                          const struct pp_options *options, struct pp_error *error)
{
    const struct pp_report_training *training = &report->training;
    double start = isfinite(training->resumed_from) ? training->resumed_from : 0;
    if (!was_stopped(report) || training->stopped_after == options->steps ||
        training->stopped_after > start + options->warmup_steps)
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "nothing was judged: the run was stopped after step %.0f, in its "
                   "warm-up",
                   training->stopped_after);
}

/* Makes the verdicts: a new array; NULL where there is nothing to judge, or on failure.
 */
static int make_verdicts(const struct pp_gate *gate, const struct pp_report *report,
                         const struct pp_options *options, struct pp_verdict **items,
                         int *count, struct pp_error *error)
{
    *items = NULL;
    *count = gate->check_count;
    if (!options->force && judges_times(gate, options) &&
        pp_report_trust_times(report, error) != 0)
        return -1;
    if (*count == 0 && !gate->compares)
        return 0;
    if (check_measured(report, options, error) != 0)
        return -1;
    *items = calloc((size_t)*count + PP_MOST_TOLERANCES + 1, sizeof **items);
    if (!*items)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the verdicts");
    for (int i = 0; i < gate->check_count; i++)
        pp_check_judge(&gate->checks[i], report, &(*items)[i]);
    if (gate->compares &&
        judge_baseline(gate, report, options, *items, count, error) != 0)
        return -1;
    if (report->training.verified == 0) /* stderr says where */
        (*items)[(*count)++] = (struct pp_verdict){
            .name = "verify",
            .outcome = PP_FAIL,
            .finding = "the run was not bitwise equal to the sequential one",
            .rank = -1,
        };
    return 0;
}

/* The report's row of the history. Wrong numbers are no result. */
static int record(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options, bool passed, struct pp_error *error)
{
    struct pp_history_row row;
    struct pp_configuration configuration = configuration_of(report);
    char hash[PP_CONFIGURATION_TEXT];
    bool judged = gate->check_count > 0 || gate->compares;
    if (report->training.verified == 0)
        return 0;
    if (pp_configuration_hash(&configuration, &facts, hash, error) != 0)
        return -1;
    pp_history_row_of(&row, report, options->label, hash,
                      !judged  ? ""
                      : passed ? "pass"
                               : "fail");
    return pp_history_append(options->history, &row, error);
}

/* A result that is wrong, or that a check refuses, must not become what later results
 * are held against. */
static int update_baseline(const struct pp_report *report,
                           const struct pp_options *options, bool passed,
                           struct pp_error *error)
{
    if (passed && report->training.verified != 0) {
        int status = pp_report_write_json(report, options->baseline, error);
        if (status == 0)
            pp_say_dropped(report, options->baseline);
        return status;
    }
    pp_say("baseline '%s' is not updated: %s failed", options->baseline,
           report->training.verified == 0 ? "'--verify'" : "a check");
    return 0;
}

/* What remains of the result, once it is judged. */
static int keep(const struct pp_gate *gate, const struct pp_report *report,
                const struct pp_options *options, bool passed, struct pp_error *error)
{
    if (was_stopped(report)) {
        if (options->history || options->update_baseline)
            pp_say("'%s' stays as it is: the run was stopped",
                   options->update_baseline ? options->baseline : options->history);
        return 0;
    }
    if (options->history && record(gate, report, options, passed, error) != 0)
        return -1;
    return options->update_baseline ? update_baseline(report, options, passed, error)
                                    : 0;
}

int pp_gate_judge(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_verdict *items;
    int count, status = PP_DONE;
    if (make_verdicts(gate, report, options, &items, &count, &error) != 0) {
        free(items);
        return pp_refuse(options, &error);
    }
    const struct pp_verdicts verdicts = {.items = items, .count = count};
    bool passed = pp_verdicts_count(&verdicts, PP_FAIL) == 0;
    if ((count > 0 || options->formats.count > 0) &&
        print(items, count, gate, report, options, &error) != 0)
        status = pp_print_error(&error);
    if (keep(gate, report, options, passed, &error) != 0)
        status = pp_print_error(&error);
    free(items);
    return status == PP_DONE && !passed ? PP_CHECK_FAILED : status;
}
