#include "cli/output.h"

#include <string.h>

#include "base/output.h"
#include "cli/command.h"
#include "report/draw/gnuplot.h"
#include "report/draw/plot.h"
#include "report/export/export.h"
#include "report/export/json.h"
#include "report/print/gantt.h"
#include "report/print/summary.h"

/* An output must not be lost to another one, nor an input to an output: a baseline that
 * a failing run has replaced would pass the next one. --load is read before --save is
 * written: to train on in place. */
static int check_apart(const char *const *outputs, int count,
                       const struct pp_options *options, struct pp_error *error)
{
    bool saved = options->argument_count > 0 && options->command != PP_SCHEDULES;
    const char *const inputs[] = {
        options->update_baseline ? NULL : options->baseline, options->costs,
        options->data,
        options->schedule && pp_plan_is_file(options->schedule) ? options->schedule
                                                                : NULL,
        saved ? options->arguments[0] : NULL};
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < i && outputs[i]; j++) {
            if (outputs[j] && pp_output_same(outputs[i], outputs[j]))
                return pp_fail(error, PP_BAD_INPUT, "two outputs go to '%s': one may",
                               outputs[i]);
        }
        for (size_t j = 0; j < sizeof inputs / sizeof *inputs && outputs[i]; j++) {
            if (inputs[j] && pp_output_same(outputs[i], inputs[j]))
                return pp_fail(error, PP_BAD_INPUT,
                               "'%s' is read, and would be written over: give the "
                               "output another name",
                               outputs[i]);
        }
    }
    return 0;
}

int pp_output_paths_check(const struct pp_options *options, struct pp_error *error)
{
    const char *const outputs[] = {options->json,
                                   options->save,
                                   options->save_grads,
                                   options->trace,
                                   options->paje,
                                   options->csv,
                                   options->update_baseline ? options->baseline : NULL,
                                   options->plot};
    enum { OUTPUTS = sizeof outputs / sizeof outputs[0] };
    for (int i = 0; i < OUTPUTS; i++) {
        if (outputs[i] && pp_output_check(outputs[i], error) != 0)
            return -1;
    }
    if (check_apart(outputs, OUTPUTS, options, error) != 0)
        return -1;
    return options->plot ? pp_plot_path_check(options->plot, error) : 0;
}

static bool on_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* Does stdout carry a file's bytes? */
static bool file_on_stdout(const struct pp_options *options)
{
    return on_stdout(options->json) || on_stdout(options->trace) ||
           on_stdout(options->paje) || on_stdout(options->csv);
}

static bool data_on_stdout(const struct pp_options *options)
{
    return file_on_stdout(options) || options->format != PP_FORMAT_TEXT;
}

FILE *pp_text_stream(const struct pp_options *options)
{
    return data_on_stdout(options) ? stderr : stdout;
}

FILE *pp_verdict_stream(const struct pp_options *options)
{
    return file_on_stdout(options) ? stderr : stdout;
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

int pp_output_and_judge(const struct pp_report *report,
                        const struct pp_options *options,
                        const struct pp_terminal *terminal, const struct pp_gate *gate)
{
    struct pp_error error = {0}, refusal = {0};
    bool passed = true;
    int status = PP_DONE;
    if (pp_output_report(report, options, terminal, &error) != 0)
        status = pp_print_error(&error);
    if (pp_gate_judge(gate, report, options, &passed, &refusal) != 0)
        pp_print_error(&refusal);
    else if (!passed)
        refusal.status = PP_CHECK_FAILED;
    return status != PP_DONE ? status : (int)refusal.status;
}
