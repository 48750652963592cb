/* ppsim plot: pictures and traces from saved reports, and the picture of a history. */
#include <stdlib.h>

#include "base/words.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "report/draw/history_plot.h"
#include "report/export/json.h"

/* Is there an output among the options, and only the picture where there are several
 * reports? PP_BAD_INPUT lists those there are. */
static int check_outputs(const struct pp_options *options, struct pp_error *error)
{
    char list[256] = "";
    bool any = false;
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        bool writes = option->write || option->file == PP_FILE_WRITTEN;
        if (!writes || !pp_option_of(option, PP_PLOT))
            continue;
        bool given = pp_option_text(options, option);
        if (given && option->write && options->argument_count > 1)
            return pp_fail(error, PP_BAD_INPUT,
                           "'--%s' writes one report, not %d: only '--plot' takes "
                           "several",
                           option->name, options->argument_count);
        any |= given;
        pp_append(list, sizeof list, "%s'--%s' %s", list[0] ? ", " : "", option->name,
                  option->value);
    }
    return any ? 0
               : pp_fail(error, PP_BAD_INPUT,
                         "'ppsim plot' needs something to write: %s", list);
}

/* Reads the reports and draws them in one picture. */
static int plot_reports(const struct pp_options *options, struct pp_error *error)
{
    int count = options->argument_count, read = 0, status = 0;
    struct pp_report *reports = calloc((size_t)count, sizeof *reports);
    if (!reports)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d reports", count);
    while (read < count && status == 0) {
        status = pp_report_read_json(&reports[read], options->arguments[read], error);
        read += status == 0;
    }
    if (status == 0)
        status = count > 1 ? pp_output_plot(reports, count, options, error)
                           : pp_output_files(reports, options, error);
    while (read > 0)
        pp_report_release(&reports[--read]);
    free(reports);
    return status;
}

/* A history has no timeline: of its picture there is one, and no traces. */
static int plot_history(const struct pp_options *options, struct pp_error *error)
{
    struct pp_history history = {0};
    if (options->argument_count > 1)
        return pp_fail(error, PP_BAD_INPUT, "'%s' is a history: it is drawn alone",
                       options->arguments[0]);
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        bool fits = !option->write &&
                    option->offset != offsetof(struct pp_options, picture) &&
                    option->offset != offsetof(struct pp_options, plot_size);
        if (options->given[i] && !fits)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' is a history, which has no '--%s': draw it with "
                           "'--plot' alone",
                           options->arguments[0], option->name);
    }
    int status = pp_history_read(&history, options->arguments[0], error);
    if (status == 0)
        status = pp_history_plot(&history, options->plot, options->keep_data, error);
    pp_history_release(&history);
    return status;
}

int pp_command_plot(struct pp_options *options)
{
    struct pp_error error = {0};
    int status = PP_DONE;
    if (options->argument_count == 0)
        pp_fail(
            &error, PP_BAD_INPUT,
            "'ppsim plot' needs a REPORT.json, which '--json' writes, or a history, "
            "which '--history' does");
    if (error.lines > 0 || check_outputs(options, &error) != 0 ||
        pp_output_paths_check(options, &error) != 0 ||
        (pp_history_is(options->arguments[0]) ? plot_history(options, &error)
                                              : plot_reports(options, &error)) != 0)
        status = pp_print_error(&error);
    return status;
}
