/* The report of a generation. */
#ifndef PP_CLI_GENERATE_REPORT_H
#define PP_CLI_GENERATE_REPORT_H

#include "cli/generation.h"
#include "report/report.h"

/* On rank 0: sets up the report from what was recorded. PP_ENVIRONMENT when out of
 * memory; the report is to be released either way. */
int pp_generate_report(struct pp_report *report, const struct pp_generation *generation,
                       const struct pp_engine_result *result, struct pp_error *error);

#endif
