/* Two reports side by side: `ppsim compare`. */
#ifndef PP_REPORT_GATE_COMPARE_H
#define PP_REPORT_GATE_COMPARE_H

#include "report/gate/change.h"

/* Prints what changed: options, whole step, bubble, causes, memory, op costs by stage;
 * or that nothing did beyond noise. What each step has a value of (makespan, bubble) is
 * tested on the steps, see timeline/shift.h; causes and the bubble's other counts are
 * told of the representative step, and change where the bubble does; the median of an
 * op is taken for one of as many draws as there are steps, since the ops of a step are
 * alike. All claims of two reports that differ in nothing are wrong in less than 1 of
 * 100 comparisons. Simulations without noise are compared exactly. PP_ENVIRONMENT when
 * out of memory. */
int pp_compare_print(const struct pp_report *before, const struct pp_report *after,
                     pp_decides *decides, bool markdown, FILE *stream,
                     struct pp_error *error);

#endif
