/* What a person reads after a run or a simulation. */
#ifndef PP_REPORT_PRINT_SUMMARY_H
#define PP_REPORT_PRINT_SUMMARY_H

#include "report/report.h"

/* given: what was given of the cost model, for the headline of a simulation, as "--link
 * latency=5us, --slow 1:2"; "": nothing. width: columns that the tables of ranks fold
 * within. Per rank stages, busy, idle, peaks; the bubble
 * under its three names beside theory and prediction. PP_ENVIRONMENT. */
int pp_report_print_summary(const struct pp_report *report, const char *given,
                            int width, FILE *stream, bool color,
                            struct pp_error *error);

#endif
