/* The figures of a sweep's points, by simulation or by running them. */
#ifndef PP_CLI_SWEEP_MAKE_H
#define PP_CLI_SWEEP_MAKE_H

#include <stdio.h>

#include "cli/sweep_points.h"
#include "report/report.h"

/* Makes the points that are not done; each is added to the file, unless NULL. A point
 * that cannot be says so itself; other failures end the sweep. */
int pp_sweep_make(struct pp_sweep *sweep, const struct pp_dimensions *dimensions,
                  FILE *file, bool progress, struct pp_error *error);

/* Simulates with the options of one point. */
int pp_sweep_simulate(struct pp_report *report, const struct pp_options *options,
                      struct pp_error *error);

#endif
