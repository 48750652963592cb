#include "cli/output.h"

#include "cli/option_table.h"
#include "cli/terminal.h"
#include "predict/explain.h"
#include "predict/whatif.h"
#include "report/draw/plot.h"
#include "report/export/json.h"
#include "report/print/gantt.h"
#include "report/print/generation.h"
#include "report/print/messages.h"
#include "report/print/summary.h"

/* One file that cannot be written is no reason to go without the others. */
static int add_problem(struct pp_error *error, const struct pp_error *problem)
{
    return pp_fail_also(error, problem->status, "%s", problem->text);
}

/* Writes the files of the exporters whose options were given. */
static int export(const struct pp_report *report, const struct pp_options *options,
                  struct pp_error *error)
{
    int status = 0;
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        const char *path = pp_option_text(options, option);
        if (!option->write || !pp_option_of(option, options->command) || !path)
            continue;
        struct pp_error problem = {0};
        if (option->write(report, path, &problem) != 0)
            status = add_problem(error, &problem);
        else if (option->write == pp_report_write_json)
            pp_say_dropped(report, path);
    }
    return status;
}

int pp_output_plot(const struct pp_report *reports, int count,
                   const struct pp_options *options, struct pp_error *error)
{
    const struct pp_picture *picture = pp_picture_find(options->picture, error);
    struct pp_timeline predicted[PP_MOST_PLOTTED] = {0};
    struct pp_plot_request request = {
        .picture = options->picture,
        .path = options->plot,
        .keep_data = options->keep_data,
        .size = options->plot_size,
        .reports = reports,
        .predicted = predicted,
        .count = count,
    };
    int status = picture ? 0 : -1;
    for (int i = 0; i < count && status == 0 && picture->predicted; i++) {
        status = pp_report_need_timeline(&reports[i], error);
        if (status == 0)
            status = pp_predict_timeline(&reports[i], &predicted[i], error);
    }
    if (status == 0)
        status = pp_report_plot(&request, error);
    for (int i = 0; i < PP_MOST_PLOTTED; i++)
        pp_timeline_release(&predicted[i]);
    return status;
}

int pp_output_files(const struct pp_report *report, const struct pp_options *options,
                    struct pp_error *error)
{
    struct pp_error problem = {0};
    int status = export(report, options, error);
    if (options->plot && pp_output_plot(report, 1, options, &problem) != 0)
        status = add_problem(error, &problem);
    return status;
}

bool pp_output_is_silent(const struct pp_options *options)
{
    if (!options->quiet || options->command != PP_EXPLAIN)
        return options->quiet;
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        bool writes = option->write || option->file == PP_FILE_WRITTEN;
        if (writes && pp_option_of(option, PP_EXPLAIN) &&
            pp_option_text(options, option))
            return true;
    }
    return false;
}

/* The messages, if asked for, the summary, and the timeline as a drawing. */
static int print_report(const struct pp_report *report,
                        const struct pp_options *options, int columns, FILE *stream,
                        bool color, struct pp_error *error)
{
    enum { SMALL_WIDTH = 80 };
    int width = options->timeline || columns < SMALL_WIDTH ? columns : SMALL_WIDTH;
    char headline[512];
    if (options->verbose && pp_report_print_messages(report, stream, error) != 0)
        return -1;
    if (options->verbose)
        fputc('\n', stream);
    if (report->generation.groups > 0) {
        pp_report_print_generation(report, stream);
        if (!options->timeline)
            return 0;
        fputc('\n', stream);
    }
    pp_options_headline(options, headline, sizeof headline);
    if (pp_report_print_summary(report, headline, columns, stream, color, error) != 0)
        return -1;
    fputc('\n', stream);
    if (pp_report_print_gantt(report, stream, width, color, error) != 0)
        return -1;
    if (options->command == PP_EXPLAIN)
        fputc('\n', stream);
    return 0;
}

static int print_and_write(const struct pp_report *report,
                           const struct pp_options *options,
                           const struct pp_terminal *terminal, struct pp_error *error)
{
    FILE *stream = pp_text_stream(options);
    bool color =
        pp_terminal_color(options->color, pp_text_is_terminal(options, terminal));
    if (!options->quiet &&
        print_report(report, options, terminal->width, stream, color, error) != 0)
        return -1;
    if (options->command == PP_EXPLAIN && !pp_output_is_silent(options) &&
        pp_predict_explain(report, stream, error) != 0)
        return -1;
    return pp_output_files(report, options, error);
}

int pp_output_and_judge(const struct pp_report *report,
                        const struct pp_options *options,
                        const struct pp_terminal *terminal, const struct pp_gate *gate)
{
    struct pp_error error = {0};
    int status = PP_DONE;
    if (print_and_write(report, options, terminal, &error) != 0)
        status = pp_print_error(&error);
    int judged = pp_gate_judge(gate, report, options);
    return status != PP_DONE ? status : judged;
}
