/* Can a report's times be judged? */
#ifndef PP_REPORT_GATE_TRUST_H
#define PP_REPORT_GATE_TRUST_H

#include "report/report.h"

/* PP_BAD_INPUT, with the reason, where the times are not those of the schedule: on the
 * wall clock, if ranks shared cores with each other (more ranks than cores) or with
 * other programs (pp_report_shared_core). Peaks and losses do not depend on it. */
int pp_report_trust_times(const struct pp_report *report, struct pp_error *error);

#endif
