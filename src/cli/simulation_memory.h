/* What a simulation says of memory. */
#ifndef PP_CLI_SIMULATION_MEMORY_H
#define PP_CLI_SIMULATION_MEMORY_H

#include "cli/plan.h"
#include "report/report.h"

/* Sets the ranks' peak_memory by '--memory', and their bytes where the plan knows the
 * model: those that a run of it comes to hold. The report has the plan's schedule. */
int pp_simulation_memory(struct pp_report *report, const struct pp_plan *plan,
                         const struct pp_options *options, struct pp_error *error);

#endif
