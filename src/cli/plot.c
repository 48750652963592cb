/* ppsim plot: pictures and traces from a saved report. */
#include "cli/command.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "report/export/json.h"

int pp_command_plot(struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_report report = {0};
    int status = PP_DONE;
    if (options->argument_count == 0)
        pp_fail(&error, PP_BAD_INPUT,
                "'ppsim plot' needs a REPORT.json, which '--json' writes");
    else if (!options->plot && !options->trace && !options->paje && !options->csv)
        pp_fail(&error, PP_BAD_INPUT,
                "'ppsim plot' needs something to write: '--plot' FILE.svg, '--trace' "
                "FILE, '--paje' FILE or '--csv' FILE");
    if (error.lines > 0 || pp_output_paths_check(options, &error) != 0 ||
        pp_report_read_json(&report, options->arguments[0], &error) != 0 ||
        pp_output_files(&report, options, &error) != 0)
        status = pp_print_error(&error);
    pp_report_release(&report);
    return status;
}
