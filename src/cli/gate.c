#include "cli/gate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/terminal.h"
#include "report/export/json.h"
#include "run/launch.h"

/* Reads the baseline before any work starts that it could not be compared with. */
static int read_baseline(struct pp_gate *gate, const struct pp_options *options,
                         const struct pp_plan *plan, struct pp_error *error)
{
    if (access(options->baseline, R_OK) != 0)
        return pp_fail(
            error, PP_BAD_INPUT,
            "cannot read '--baseline' '%s': make it with '--update-baseline'",
            options->baseline);
    if (pp_report_read_json(&gate->baseline, options->baseline, error) != 0)
        return -1;
    gate->compares = true;
    if (options->work == PP_SIMULATE) /* quick enough to find out afterwards */
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

static void append(char *text, size_t size, const char *piece, size_t length)
{
    size_t used = strlen(text), room = size - used - 1;
    if (length > room)
        length = room;
    memcpy(text + used, piece, length);
    text[used + length] = '\0';
}

static bool is_printable(const char *word)
{
    while (*word >= ' ' && *word <= '~')
        word++;
    return *word == '\0';
}

/* As $'caf\xc3\xa9', which the shells of today read. */
static void append_escaped(char *text, size_t size, const char *word)
{
    append(text, size, "$'", 2);
    for (; *word; word++) {
        char piece[8];
        bool plain = *word >= ' ' && *word <= '~' && *word != '\'' && *word != '\\';
        int length = snprintf(piece, sizeof piece, plain ? "%c" : "\\x%02x",
                              (unsigned char)*word);
        append(text, size, piece, (size_t)length);
    }
    append(text, size, "'", 1);
}

/* The command line again, quoted for a shell, in characters that every format can hold.
 */
static void rerun_command(const struct pp_options *options, int ranks, char *text,
                          size_t size)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_=./,:%+@";
    if (pp_launched_by_user() && options->work == PP_RUN)
        snprintf(text, size, "mpirun -n %d ", ranks);
    for (int i = 0; options->argv[i]; i++) {
        const char *word = options->argv[i];
        append(text, size, " ", i > 0 ? 1 : 0);
        if (*word != '\0' && word[strspn(word, plain)] == '\0') {
            append(text, size, word, strlen(word));
            continue;
        }
        if (!is_printable(word)) {
            append_escaped(text, size, word);
            continue;
        }
        append(text, size, "'", 1);
        for (const char *at = word; *at; at += strcspn(at, "'")) {
            if (*at == '\'') /* nothing but another kind of quote can quote it */
                append(text, size, "'\\''", 4), at++;
            append(text, size, at, strcspn(at, "'"));
        }
        append(text, size, "'", 1);
    }
}

int pp_gate_judge(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options, bool *passed,
                  struct pp_error *error)
{
    int count = gate->check_count + (gate->compares ? gate->tolerances.count : 0);
    char command[4096] = "";
    *passed = true;
    if (count == 0 && !options->update_baseline)
        return 0;
    if (report->environment.oversubscribed &&
        strcmp(report->environment.clock, "wall") == 0 && !options->force)
        return pp_fail(
            error, PP_BAD_INPUT,
            "ranks shared cores under the wall clock: their timings are noise "
            "and no gate; use '--clock' virtual, or '--force'");
    if (options->update_baseline &&
        pp_report_write_json(report, options->baseline, error) != 0)
        return -1;
    if (count == 0)
        return 0;
    struct pp_verdict *verdicts = calloc((size_t)count, sizeof *verdicts);
    if (!verdicts)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the verdicts");
    for (int i = 0; i < gate->check_count; i++)
        pp_check_judge(&gate->checks[i], report, &verdicts[i]);
    int status = 0;
    if (gate->compares) {
        status = pp_baseline_comparable(
            &gate->baseline, report->config, pp_options_decides, report->command,
            report->environment.clock, options->baseline, error);
        pp_baseline_judge(&gate->baseline, report, &gate->tolerances,
                          verdicts + gate->check_count);
    }
    if (status == 0) {
        for (int i = 0; i < count; i++)
            *passed &= verdicts[i].passed;
        rerun_command(options, report->schedule.ranks, command, sizeof command);
        pp_verdicts_print(verdicts, count, options->format, command,
                          pp_verdict_stream(options));
    }
    free(verdicts);
    return status;
}
