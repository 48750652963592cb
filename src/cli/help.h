/* Help on the terminal, and the exit statuses that help and the man page list. */
#ifndef PP_CLI_HELP_H
#define PP_CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

struct pp_exit_status {
    const char *status, *meaning;
};
extern const struct pp_exit_status pp_exit_statuses[]; /* ended by {0} */

/* ppsim --help: the commands, and how to go on. */
void pp_help_overview(const struct pp_command_row *commands, FILE *stream);

/* ppsim COMMAND --help: how it is called, and each option that it takes. Lines have at
 * most 80 columns. */
void pp_help_command(const struct pp_command_row *commands, enum pp_command command,
                     FILE *stream);

#endif
