/* One point of a sweep, really run. */
#ifndef PP_CLI_SWEEP_RUN_H
#define PP_CLI_SWEEP_RUN_H

#include "cli/options.h"
#include "report/report.h"
#include "report/sweep.h"

/* Runs the point with its options, in a process of its own: if the run
 * fails, the point's status and reason say so, and the report is left empty. Fails only
 * where no process can be started. A signal that ends this process ends the run first.
 */
int pp_sweep_run(struct pp_report *report, struct pp_sweep_point *point,
                 const struct pp_options *options, struct pp_error *error);

#endif
