#include "cli/gate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int pp_gate_init(struct pp_gate *gate, const struct pp_options *options, int ranks,
                 struct pp_error *error)
{
    *gate = (struct pp_gate){
        .checks = calloc((size_t)options->checks.count + 1, sizeof *gate->checks),
        .check_count = options->checks.count,
    };
    if (!gate->checks)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the checks");
    for (int i = 0; i < gate->check_count; i++) {
        if (pp_check_parse(&gate->checks[i], options->checks.items[i], ranks, error) !=
            0)
            return -1;
    }
    if (!options->tolerance) /* a command without gates */
        return 0;
    if (pp_tolerances_parse(&gate->tolerances, options->tolerance, error) != 0)
        return -1;
    if (options->update_baseline && !options->baseline)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--update-baseline' needs '--baseline' REPORT.json");
    if (options->baseline && !options->update_baseline &&
        access(options->baseline, R_OK) != 0)
        return pp_fail(
            error, PP_BAD_INPUT,
            "cannot read '--baseline' '%s': make it with '--update-baseline'",
            options->baseline);
    return 0;
}

void pp_gate_release(struct pp_gate *gate)
{
    free(gate->checks);
    *gate = (struct pp_gate){0};
}

/* The command line again, quoted for a shell. */
static void rerun_command(const struct pp_options *options, char *text, size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_=./,:%+@";
    size_t used = 0;
    for (int i = 0; options->argv[i] && used < size; i++) {
        const char *word = options->argv[i];
        bool quote = word[strspn(word, plain)] != '\0' || *word == '\0';
        used += (size_t)snprintf(text + used, size - used, quote ? "%s'%s'" : "%s%s",
                                 i > 0 ? " " : "", word);
    }
}

/* Adds the verdicts of the baseline to those of the checks. */
static int judge_baseline(const struct pp_gate *gate, const struct pp_report *report,
                          const char *path, struct pp_verdict *verdicts,
                          struct pp_error *error)
{
    struct pp_report baseline = {0};
    int status = pp_report_read_json(&baseline, path, error);
    if (status == 0)
        status = pp_baseline_comparable(&baseline, report, path, error);
    if (status == 0)
        pp_baseline_judge(&baseline, report, &gate->tolerances, verdicts);
    pp_report_release(&baseline);
    return status;
}

int pp_gate_judge(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options, bool *passed,
                  struct pp_error *error)
{
    bool compares = options->baseline && !options->update_baseline;
    int count = gate->check_count + (compares ? gate->tolerances.count : 0);
    char command[4096] = "";
    *passed = true;
    if (options->update_baseline &&
        pp_report_write_json(report, options->baseline, error) != 0)
        return -1;
    if (count == 0)
        return 0;
    if (report->environment.oversubscribed &&
        strcmp(report->environment.clock, "wall") == 0 && !options->force)
        return pp_fail(
            error, PP_BAD_INPUT,
            "ranks shared cores under the wall clock: their timings are noise "
            "and no gate; use '--clock' virtual, or '--force'");
    struct pp_verdict *verdicts = calloc((size_t)count, sizeof *verdicts);
    if (!verdicts)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the verdicts");
    for (int i = 0; i < gate->check_count; i++)
        pp_check_judge(&gate->checks[i], report, &verdicts[i]);
    int status = 0;
    if (compares)
        status = judge_baseline(gate, report, options->baseline,
                                verdicts + gate->check_count, error);
    if (status == 0) {
        for (int i = 0; i < count; i++)
            *passed &= verdicts[i].passed;
        rerun_command(options, command, sizeof command);
        bool json_on_stdout = options->json && strcmp(options->json, "-") == 0;
        pp_verdicts_print(verdicts, count, (enum pp_verdict_format)options->format,
                          command, json_on_stdout ? stderr : stdout);
    }
    free(verdicts);
    return status;
}
