/* What is done with a finished report: files, text, verdicts. */
#ifndef PP_CLI_OUTPUT_H
#define PP_CLI_OUTPUT_H

#include "cli/gate.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "report/report.h"

/* Writes the traces and the picture that the options ask for; the picture last, so that
 * the others are written even if it cannot be drawn. */
int pp_output_files(const struct pp_report *report, const struct pp_options *options,
                    struct pp_error *error);

/* Is nothing to be printed? --quiet leaves explain its explanation, unless a file was
 * asked for too. */
bool pp_output_is_silent(const struct pp_options *options);

/* Draws the picture that the options ask for, a panel per report; at most
 * PP_MOST_PLOTTED. */
int pp_output_plot(const struct pp_report *reports, int count,
                   const struct pp_options *options, struct pp_error *error);

/* Prints the summary and the timeline, writes the files, then judges the gates, even if
 * a file or picture could not be written. Prints errors; returns the exit status. */
int pp_output_and_judge(const struct pp_report *report,
                        const struct pp_options *options,
                        const struct pp_terminal *terminal, const struct pp_gate *gate);

#endif
