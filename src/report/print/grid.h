/* A schedule as a table for the terminal. */
#ifndef PP_REPORT_PRINT_GRID_H
#define PP_REPORT_PRINT_GRID_H

#include <stdio.h>

#include "timeline/timeline.h"

/* The longest time of which all starts and ends are multiples, in ns: what a column
 * stands for. */
int64_t pp_report_grid_unit(const struct pp_timeline *timeline);

/* Prints a row per rank, for a timeline that was simulated and begins at 0: each op
 * where it starts, "F3" where a rank holds one stage, "5F3" where it holds several, '='
 * for the rest of an op, '.' for idle. Ops that take no time take no column.
 * PP_BAD_INPUT where that would be more than 10 000 columns, shorter than any op. */
int pp_report_print_grid(const struct pp_timeline *timeline, FILE *stream,
                         struct pp_error *error);

#endif
