/* Commands for the user's shell: to do the same again, and to go on from it. */
#ifndef PP_CLI_RERUN_H
#define PP_CLI_RERUN_H

#include "cli/options.h"

/* The command line again. ranks: for the mpirun that started this process, if one did.
 * A new text, NULL when out of memory. */
char *pp_rerun_command(const struct pp_options *options, int ranks);

/* What says more of a result: compare with the baseline (NULL: there is no report to
 * compare with) and explain, of the report that --json wrote; or first the command that
 * writes one. A new text, NULL when out of memory. */
char *pp_go_on_command(const struct pp_options *options, int ranks,
                       const char *baseline);

#endif
