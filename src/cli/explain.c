/* ppsim explain: why each rank was idle, and what would help. */
#include "report/print/explain.h"

#include "cli/command.h"
#include "cli/output.h"
#include "predict/whatif.h"
#include "report/export/json.h"

int pp_explain(const struct pp_report *report, FILE *stream, struct pp_error *error)
{
    struct pp_even_split even;
    struct pp_speedup speedup;
    if (pp_predict_speedup(report, &speedup, error) != 0 ||
        pp_report_print_explain(report, &speedup, stream, error) != 0 ||
        pp_predict_even_split(report, &even, error) != 0)
        return -1;
    if (even.known)
        fprintf(
            stream,
            "layers split evenly (%s): a step of %.2f ms instead of %.2f ms, bubble "
            "%.4f instead of %.4f\n",
            even.split, even.makespan_s * 1e3, (double)report->metrics.makespan * 1e-6,
            even.bubble, report->metrics.bubble.fraction);
    return 0;
}

bool pp_trains(const struct pp_options *options)
{
    return options->command == PP_RUN ||
           (options->command == PP_EXPLAIN && options->argument_count == 0 &&
            !pp_options_given_for(options, PP_SIMULATE, PP_RUN));
}

/* Without a report: a run, or where an option is of the cost model a simulation. */
static int explain_anew(struct pp_options *options, char **argv)
{
    struct pp_error error = {0};
    const char *simulated = pp_options_given_for(options, PP_SIMULATE, PP_RUN);
    const char *trained = pp_options_given_for(options, PP_RUN, PP_SIMULATE);
    if (simulated && trained) {
        pp_fail(&error, PP_BAD_INPUT,
                "'--%s' is of a simulation, '--%s' of a run: give one of them",
                simulated, trained);
        return pp_print_error(&error);
    }
    return pp_trains(options) ? pp_command_run(options, argv)
                              : pp_command_simulate(options);
}

int pp_command_explain(struct pp_options *options, char **argv)
{
    struct pp_error error = {0};
    struct pp_report report = {0};
    int status = PP_DONE;
    if (options->argument_count == 0)
        return explain_anew(options, argv);
    /* What a report can still be made into, plot makes. */
    const char *too_late = pp_options_given_for(options, PP_EXPLAIN, PP_PLOT);
    if (too_late)
        pp_fail(&error, PP_BAD_INPUT,
                "'ppsim explain %s' takes no '--%s': it explains that report as it is",
                options->arguments[0], too_late);
    if (error.lines > 0 || pp_output_paths_check(options, &error) != 0 ||
        pp_report_read_json(&report, options->arguments[0], &error) != 0 ||
        pp_explain(&report, pp_text_stream(options), &error) != 0 ||
        pp_output_files(&report, options, &error) != 0)
        status = pp_print_error(&error);
    pp_report_release(&report);
    return status;
}
