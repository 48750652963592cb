/* ppsim explain REPORT.json: why each rank was idle, and what would help. Without a
 * report explain does the work of run or simulate (see struct pp_command_row), and
 * output.c adds the explanation. */
#include "predict/explain.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "report/export/json.h"

int pp_command_explain(struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_report report = {0};
    int status = PP_DONE;
    /* Of a saved report only what plot takes can still be written. */
    const char *too_late = pp_options_given_for(options, PP_EXPLAIN, PP_PLOT);
    if (too_late)
        pp_fail(&error, PP_BAD_INPUT,
                "'ppsim explain %s' takes no '--%s': it explains that report as it is",
                options->arguments[0], too_late);
    if (error.lines > 0 || pp_output_paths_check(options, &error) != 0 ||
        pp_report_read_json(&report, options->arguments[0], &error) != 0 ||
        (!pp_output_is_silent(options) &&
         pp_predict_explain(&report, pp_text_stream(options), &error) != 0) ||
        pp_output_files(&report, options, &error) != 0)
        status = pp_print_error(&error);
    pp_report_release(&report);
    return status;
}
