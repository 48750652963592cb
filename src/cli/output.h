/* What run and simulate do with a finished report. */
#ifndef PP_CLI_OUTPUT_H
#define PP_CLI_OUTPUT_H

#include "cli/gate.h"
#include "cli/options.h"
#include "cli/terminal.h"
#include "report/report.h"

/* Writes the traces and pictures that the options ask for; a picture that cannot be
 * drawn is the last to fail. */
int pp_output_files(const struct pp_report *report, const struct pp_options *options,
                    struct pp_error *error);

/* Writes the files, and prints the summary and the timeline. */
int pp_output_report(const struct pp_report *report, const struct pp_options *options,
                     const struct pp_terminal *terminal, struct pp_error *error);

/* The same, then judges the gates, whatever could not be written: no verdict is lost to
 * a picture. Prints what went wrong; returns the exit status. */
int pp_output_and_judge(const struct pp_report *report,
                        const struct pp_options *options,
                        const struct pp_terminal *terminal, const struct pp_gate *gate);

#endif
