/* ppsim plot: pictures and traces from a saved report. */
#include "base/words.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/terminal.h"
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

int pp_command_plot(struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_report report = {0};
    int status = PP_DONE;
    if (options->argument_count == 0)
        pp_fail(&error, PP_BAD_INPUT,
                "'ppsim plot' needs a REPORT.json, which '--json' writes");
    if (error.lines > 0 || check_outputs(options, &error) != 0 ||
        pp_output_paths_check(options, &error) != 0 ||
        pp_report_read_json(&report, options->arguments[0], &error) != 0 ||
        pp_output_files(&report, options, &error) != 0)
        status = pp_print_error(&error);
    pp_report_release(&report);
    return status;
}
