/* A sweep as a table. */
#ifndef PP_REPORT_PRINT_SWEEP_H
#define PP_REPORT_PRINT_SWEEP_H

#include <stdio.h>

#include "report/sweep.h"

/* Prints the table of points that are done, and why the others are not. */
int pp_sweep_print(const struct pp_sweep *sweep, FILE *stream, struct pp_error *error);

/* Prints which point is the best by the sweep's figure. */
void pp_sweep_print_best(const struct pp_sweep *sweep, FILE *stream);

#endif
