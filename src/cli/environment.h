/* What ranks worked with, on its way into the report; and what is odd about it. */
#ifndef PP_CLI_ENVIRONMENT_H
#define PP_CLI_ENVIRONMENT_H

#include "report/report.h"
#include "run/environment.h"

/* Fills in the report's environment and link. */
void pp_describe_environment(struct pp_report *report,
                             const struct pp_run_environment *environment);

/* Says on standard error where the clock does not fit what was asked: ranks that share
 * cores on the wall clock; a link given (--link, NULL: none) that it takes no note of.
 */
void pp_warn_of_clock(const struct pp_run_environment *environment, int ranks,
                      const char *link);

/* Says so where more groups are asked for (--groups; 0: not) than there are sequences
 * at once, since each group has one at least. */
void pp_warn_of_groups(int groups, int sequences);

#endif
