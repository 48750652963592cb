/* What a person reads after a run or a simulation. */
#ifndef PP_REPORT_PRINT_SUMMARY_H
#define PP_REPORT_PRINT_SUMMARY_H

#include "report/report.h"

/* Per rank stages, busy, idle, peaks; the bubble under its three names beside theory
 * and prediction. */
void pp_report_print_summary(const struct pp_report *report, FILE *stream, bool color);

#endif
