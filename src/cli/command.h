/* The commands. Each returns the exit status, having printed its error if any. */
#ifndef PP_CLI_COMMAND_H
#define PP_CLI_COMMAND_H

#include "cli/options.h"
#include "cli/terminal.h"

/* Prints each line of an error behind "ppsim: ", returns its status. */
int pp_print_error(const struct pp_error *error);

/* Does the command start ranks, which each come here? explain without a report does,
 * unless it is to explain a simulation. */
bool pp_trains(const struct pp_options *options);

int pp_command_run(struct pp_options *options, char **argv);
int pp_command_simulate(struct pp_options *options);
int pp_command_schedules(struct pp_options *options);
int pp_command_explain(struct pp_options *options, char **argv);
int pp_command_compare(struct pp_options *options);
int pp_command_sweep(struct pp_options *options);
int pp_command_plot(struct pp_options *options);

#endif
