/* ppsim compare: what changed between two reports. */
#include "report/gate/compare.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "report/export/json.h"

int pp_command_compare(struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_report before = {0}, after = {0};
    int status = PP_DONE;
    if (options->argument_count != 2)
        pp_fail(&error, PP_BAD_INPUT,
                "'ppsim compare' needs two reports: BEFORE.json AFTER.json");
    if (error.lines > 0 ||
        pp_report_read_json(&before, options->arguments[0], &error) != 0 ||
        pp_report_read_json(&after, options->arguments[1], &error) != 0 ||
        pp_compare_print(&before, &after, pp_options_decides,
                         options->compare_format == PP_COMPARE_MARKDOWN, stdout,
                         &error) != 0)
        status = pp_print_error(&error);
    pp_report_release(&before);
    pp_report_release(&after);
    return status;
}
