/* A sweep as a picture. */
#ifndef PP_REPORT_DRAW_SWEEP_PLOT_H
#define PP_REPORT_DRAW_SWEEP_PLOT_H

#include "report/sweep.h"

/* Draws bubble, step time and memory against microbatches, a line per schedule, p and
 * v: theory as lines, simulated and measured as points. As pp_report_plot. */
int pp_sweep_plot(const struct pp_sweep_point *points, int count, const char *path,
                  const char *keep_data, struct pp_error *error);

#endif
