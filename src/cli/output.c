#include "cli/output.h"

#include <string.h>

#include "base/output.h"
#include "report/export.h"
#include "report/gnuplot.h"
#include "report/plot.h"

int pp_output_paths_check(const struct pp_options *options, struct pp_error *error)
{
    const char *const paths[] = {options->json,
                                 options->save,
                                 options->save_grads,
                                 options->trace,
                                 options->paje,
                                 options->csv,
                                 options->update_baseline ? options->baseline : NULL,
                                 options->plot};
    enum { PATHS = sizeof paths / sizeof paths[0] };
    for (int i = 0; i < PATHS; i++) {
        if (paths[i] && pp_output_check(paths[i], error) != 0)
            return -1;
        for (int j = 0; j < i; j++) {
            if (paths[i] && paths[j] && strcmp(paths[i], paths[j]) == 0)
                return pp_fail(error, PP_BAD_INPUT, "two outputs go to '%s': one may",
                               paths[i]);
        }
    }
    return options->plot ? pp_plot_path_check(options->plot, error) : 0;
}

static bool data_on_stdout(const struct pp_options *options)
{
    return (options->json && strcmp(options->json, "-") == 0) ||
           options->format != PP_FORMAT_TEXT;
}

FILE *pp_text_stream(const struct pp_options *options)
{
    return data_on_stdout(options) ? stderr : stdout;
}

bool pp_text_is_terminal(const struct pp_options *options,
                         const struct pp_terminal *terminal)
{
    return data_on_stdout(options) ? terminal->errors : terminal->output;
}

int pp_output_files(const struct pp_report *report, const struct pp_options *options,
                    struct pp_error *error)
{
    if (options->trace && pp_report_write_trace(report, options->trace, error) != 0)
        return -1;
    if (options->paje && pp_report_write_paje(report, options->paje, error) != 0)
        return -1;
    if (options->csv && pp_report_write_csv(report, options->csv, error) != 0)
        return -1;
    if (!options->plot)
        return 0;
    return pp_report_plot(report, pp_pictures[options->picture], options->plot,
                          options->keep_data, error);
}

int pp_output_report(const struct pp_report *report, const struct pp_options *options,
                     const struct pp_terminal *terminal, struct pp_error *error)
{
    enum { SMALL_WIDTH = 80 };
    FILE *stream = pp_text_stream(options);
    bool color =
        pp_terminal_color(options->color, pp_text_is_terminal(options, terminal));
    if (options->json && pp_report_write_json(report, options->json, error) != 0)
        return -1;
    if (!options->quiet) {
        int width = options->timeline || terminal->width < SMALL_WIDTH ? terminal->width
                                                                       : SMALL_WIDTH;
        pp_report_print_summary(report, stream, color);
        fputc('\n', stream);
        pp_report_print_gantt(report, stream, width, color);
        if (options->command == PP_EXPLAIN) {
            fputc('\n', stream);
            if (pp_explain(report, stream, error) != 0)
                return -1;
        }
    }
    return pp_output_files(report, options, error);
}
