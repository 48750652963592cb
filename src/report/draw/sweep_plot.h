/* A sweep as a picture. */
#ifndef PP_REPORT_DRAW_SWEEP_PLOT_H
#define PP_REPORT_DRAW_SWEEP_PLOT_H

#include "report/sweep.h"

/* Draws bubble, step time and memory against what has most values, a line per schedule
 * and what else varies: theory as lines, simulated and measured as points. As
 * pp_report_plot. */
int pp_sweep_plot(const struct pp_sweep *sweep, const char *path, const char *keep_data,
                  const char *size, struct pp_error *error);

#endif
