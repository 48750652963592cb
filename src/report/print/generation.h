/* The figures of a generation, in a few lines. */
#ifndef PP_REPORT_PRINT_GENERATION_H
#define PP_REPORT_PRINT_GENERATION_H

#include <stdio.h>

#include "report/report.h"

void pp_report_print_generation(const struct pp_report *report, FILE *stream);

#endif
