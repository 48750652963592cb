/* A schedule as a table for the terminal. */
#ifndef PP_REPORT_GRID_H
#define PP_REPORT_GRID_H

#include <stdio.h>

#include "timeline/timeline.h"

/* Prints a row per rank and a column per ns, for a timeline that was simulated on costs
 * of a few ns per op and begins at 0: each op where it starts, "F3" where a rank holds
 * one stage, "5F3" where it holds several, '=' for the rest of an op, '.' for idle. */
void pp_report_print_grid(const struct pp_timeline *timeline, FILE *stream);

#endif
