/* ppsim plot: pictures and traces from a saved report, and the picture of a history. */
#include "base/words.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "report/draw/history_plot.h"
#include "report/export/json.h"

/* Is there an output among the options? PP_BAD_INPUT lists those there are. */
static int check_outputs(const struct pp_options *options, struct pp_error *error)
{
    char list[256] = "";
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        bool writes = option->write || option->file == PP_FILE_WRITTEN;
        if (!writes || !pp_option_of(option, PP_PLOT))
            continue;
        if (pp_option_text(options, option))
            return 0;
        pp_append(list, sizeof list, "%s'--%s' %s", list[0] ? ", " : "", option->name,
                  option->value);
    }
    return pp_fail(error, PP_BAD_INPUT, "'ppsim plot' needs something to write: %s",
                   list);
}

/* A history has no timeline: of its picture there is one, and no traces. */
static int plot_history(const struct pp_options *options, struct pp_error *error)
{
    struct pp_history history = {0};
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        bool fits =
            !option->write && option->offset != offsetof(struct pp_options, picture);
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

static int plot_report(const struct pp_options *options, struct pp_error *error)
{
    struct pp_report report = {0};
    int status = pp_report_read_json(&report, options->arguments[0], error);
    if (status == 0)
        status = pp_output_files(&report, options, error);
    pp_report_release(&report);
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
                                              : plot_report(options, &error)) != 0)
        status = pp_print_error(&error);
    return status;
}
