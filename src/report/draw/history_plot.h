/* A history as a picture. */
#ifndef PP_REPORT_DRAW_HISTORY_PLOT_H
#define PP_REPORT_DRAW_HISTORY_PLOT_H

#include "report/history.h"

/* Draws bubble, makespan and peak in flight over the rows, a line per configuration and
 * clock; what failed is crossed. Rows of one label that follow each other stand above
 * each other. PP_BAD_INPUT where there are no rows; else as pp_report_plot. */
int pp_history_plot(const struct pp_history *history, const char *path,
                    const char *keep_data, struct pp_error *error);

#endif
