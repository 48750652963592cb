/* The timeline as rows of characters. */
#ifndef PP_REPORT_PRINT_GANTT_H
#define PP_REPORT_PRINT_GANTT_H

#include "report/report.h"

/* width columns wide. Colour by kind where color; ASCII letters otherwise.
 * PP_ENVIRONMENT.
 */
int pp_report_print_gantt(const struct pp_report *report, FILE *stream, int width,
                          bool color, struct pp_error *error);

#endif
