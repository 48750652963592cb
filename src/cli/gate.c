#include "cli/gate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/quote.h"
#include "cli/terminal.h"
#include "report/export/json.h"
#include "report/gate/trust.h"
#include "run/launch.h"

/* Reads the baseline. A run of another configuration is refused here, before it starts;
 * a simulation is quick enough to be refused afterwards. */
static int read_baseline(struct pp_gate *gate, const struct pp_options *options,
                         const struct pp_plan *plan, struct pp_error *error)
{
    if (access(options->baseline, R_OK) != 0)
        return pp_fail(
            error, PP_BAD_INPUT,
            "cannot read '--baseline' '%s': write it first with '--update-baseline'",
            options->baseline);
    if (pp_report_read_json(&gate->baseline, options->baseline, error) != 0)
        return -1;
    gate->compares = true;
    if (options->work == PP_SIMULATE)
        return 0;
    json_t *config = pp_plan_config(plan, options);
    int status = pp_baseline_comparable(&gate->baseline, config, pp_options_decides,
                                        "run", NULL, options->baseline, error);
    json_decref(config);
    return status;
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
        if (pp_check_parse(&gate->checks[i], options->checks.items[i],
                           plan->schedule.ranks, error) != 0)
            return -1;
    }
    if (!options->tolerance) /* a command without gates */
        return 0;
    if (pp_tolerances_parse(&gate->tolerances, options->tolerance, error) != 0)
        return -1;
    if (options->baseline && !options->update_baseline)
        return read_baseline(gate, options, plan, error);
    return 0;
}

void pp_gate_release(struct pp_gate *gate)
{
    free(gate->checks);
    pp_report_release(&gate->baseline);
    *gate = (struct pp_gate){0};
}

/* The command line again, for the user's shell; a new text, NULL when out of memory. */
static char *rerun_command(const struct pp_options *options, int ranks)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    if (pp_launched_by_user() && options->work == PP_RUN)
        fprintf(stream, "mpirun -n %d ", ranks);
    pp_quote_words(options->argv, stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* Is any figure judged that depends on times, or will later be? */
static bool judges_times(const struct pp_gate *gate, const struct pp_options *options)
{
    for (int i = 0; i < gate->check_count; i++) {
        if (pp_figure_of_times(gate->checks[i].figure))
            return true;
    }
    return gate->compares || options->update_baseline;
}

/* One verdict per check, then one per tolerance of the baseline. */
static int make_verdicts(const struct pp_gate *gate, const struct pp_report *report,
                         const struct pp_options *options, struct pp_verdict *verdicts,
                         struct pp_error *error)
{
    for (int i = 0; i < gate->check_count; i++)
        pp_check_judge(&gate->checks[i], report, &verdicts[i]);
    if (!gate->compares)
        return 0;
    if (pp_baseline_comparable(&gate->baseline, report->config, pp_options_decides,
                               report->command, report->environment.clock,
                               options->baseline, error) != 0)
        return -1;
    pp_baseline_judge(&gate->baseline, report, &gate->tolerances,
                      verdicts + gate->check_count);
    return 0;
}

static int judge(const struct pp_gate *gate, const struct pp_report *report,
                 const struct pp_options *options, bool *passed, struct pp_error *error)
{
    int count = gate->check_count + (gate->compares ? gate->tolerances.count : 0);
    if (count == 0)
        return 0;
    struct pp_verdict *verdicts = calloc((size_t)count, sizeof *verdicts);
    char *command = rerun_command(options, report->schedule.ranks);
    int status = verdicts && command
                     ? make_verdicts(gate, report, options, verdicts, error)
                     : pp_fail(error, PP_ENVIRONMENT, "out of memory for the verdicts");
    for (int i = 0; i < count && status == 0; i++)
        *passed &= verdicts[i].passed;
    if (status == 0)
        pp_verdict_format_find(options->format)
            ->print(verdicts, count, command, pp_verdict_stream(options));
    free(command);
    free(verdicts);
    return status;
}

/* A result that is wrong, or that a check refuses, must not become what later results
 * are held against. */
static int update_baseline(const struct pp_report *report,
                           const struct pp_options *options, bool passed,
                           struct pp_error *error)
{
    if (passed && report->training.verified != 0)
        return pp_report_write_json(report, options->baseline, error);
    fprintf(stderr, "ppsim: baseline '%s' is not updated: %s failed\n",
            options->baseline, passed ? "'--verify'" : "a check");
    return 0;
}

int pp_gate_judge(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options, bool *passed,
                  struct pp_error *error)
{
    *passed = true;
    if (gate->check_count == 0 && !gate->compares && !options->update_baseline)
        return 0;
    if (!options->force && judges_times(gate, options) &&
        pp_report_trust_times(report, error) != 0)
        return -1;
    if (judge(gate, report, options, passed, error) != 0)
        return -1;
    return options->update_baseline ? update_baseline(report, options, *passed, error)
                                    : 0;
}
