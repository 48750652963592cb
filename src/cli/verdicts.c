#include "cli/verdicts.h"

#include <string.h>

#include "base/output.h"
#include "cli/formats.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/terminal.h"
#include "run/launch.h"

static int write_file(const struct pp_format *format,
                      const struct pp_verdicts *verdicts, struct pp_error *error)
{
    struct pp_output output;
    if (pp_output_open(&output, format->file, error) != 0)
        return -1;
    format->kind->print(verdicts, output.stream);
    return pp_output_commit(&output, error);
}

/* On a standard stream, in colour where that has it. */
static void print(const struct pp_verdict_format *format,
                  const struct pp_options *options, const struct pp_verdicts *verdicts,
                  FILE *stream)
{
    struct pp_terminal terminal = pp_terminal_detect(pp_launched());
    struct pp_verdicts shown = *verdicts;
    shown.color = pp_terminal_color(options->color, stream == stdout ? terminal.output
                                                                     : terminal.errors);
    format->print(&shown, stream);
}

/* Prints all formats but, unless it is for people too, those for people on a standard
 * stream. */
static int print_all(const struct pp_options *options,
                     const struct pp_verdicts *verdicts, bool for_people,
                     struct pp_error *error)
{
    FILE *stream = pp_verdict_stream(options);
    int status = 0;
    if (for_people && !pp_formats_print(options))
        print(&pp_verdict_formats[0], options, verdicts, pp_text_stream(options));
    for (int i = 0; i < options->formats.count; i++) {
        struct pp_format format = pp_format_of(options->formats.items[i]);
        /* A refusal may be of just this file. */
        if (format.file && pp_output_path_is_alone(options, format.file))
            status |= write_file(&format, verdicts, error);
        else if (!format.file && (for_people || !format.kind->for_people))
            print(format.kind, options, verdicts, stream);
    }
    return status;
}

int pp_verdicts_print(const struct pp_options *options,
                      const struct pp_verdicts *verdicts, struct pp_error *error)
{
    return print_all(options, verdicts, true, error);
}

int pp_refuse(const struct pp_options *options, const struct pp_error *error)
{
    struct pp_error problem = {0};
    struct pp_verdict verdict;
    bool file = options->schedule && pp_plan_is_file(options->schedule);
    pp_print_error(error);
    if (options->formats.count == 0)
        return (int)error->status;
    pp_verdict_of_error(&verdict, error);
    const struct pp_verdicts verdicts = {
        .items = &verdict, .count = 1, .file = file ? options->schedule : NULL};
    /* The problem may be the very file that the error is about. */
    if (print_all(options, &verdicts, false, &problem) != 0 &&
        strcmp(problem.text, error->text) != 0)
        pp_print_error(&problem);
    return (int)error->status;
}
