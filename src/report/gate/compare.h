/* Two reports side by side: `ppsim compare`. */
#ifndef PP_REPORT_GATE_COMPARE_H
#define PP_REPORT_GATE_COMPARE_H

#include "report/gate/change.h"

/* Prints what changed: options, whole step, bubble, causes, memory, op costs by stage;
 * or that nothing did beyond noise. */
void pp_compare_print(const struct pp_report *before, const struct pp_report *after,
                      pp_decides *decides, bool markdown, FILE *stream);

#endif
