/* A schedule as a table for the terminal. */
#ifndef PP_REPORT_PRINT_GRID_H
#define PP_REPORT_PRINT_GRID_H

#include <stdio.h>

#include "timeline/timeline.h"

/* The longest time of which all starts and ends are multiples, in ns: what a column
 * stands for. */
int64_t pp_report_grid_unit(const struct pp_timeline *timeline);

/* The part of the table that is shown. */
struct pp_grid_view {
    int width;    /* fold lines that would be longer; 0: however long */
    int from, to; /* the first and last column, from 0; to -1: the last there is */
};

/* Prints a row per rank, for a timeline that was simulated and begins at 0: each op
 * where it starts, "F3" where a rank holds one stage, "5F3" where it holds several, '='
 * for the rest of an op, '.' for idle. Ops that take no time take no column.
 * Folded, or with columns left out, each part begins with the numbers
 * of its columns. PP_BAD_INPUT where that would be more than 10 000 columns, shorter
 * than any op, and where the view begins behind the last column. */
int pp_report_print_grid(const struct pp_timeline *timeline,
                         const struct pp_grid_view *view, FILE *stream,
                         struct pp_error *error);

#endif
