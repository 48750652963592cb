/* Where the time went, in words: critical path, causes, each rank's longest gaps. */
#ifndef PP_REPORT_EXPLAIN_H
#define PP_REPORT_EXPLAIN_H

#include "report/report.h"

/* Prints the explanation. PP_BAD_INPUT where the report holds no timeline,
 * PP_ENVIRONMENT when out of memory; nothing is printed then. */
int pp_report_print_explain(const struct pp_report *report, FILE *stream,
                            struct pp_error *error);

#endif
