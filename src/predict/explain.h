/* Where a step's time went, and what simulations say would shorten it. */
#ifndef PP_PREDICT_EXPLAIN_H
#define PP_PREDICT_EXPLAIN_H

#include <stdio.h>

#include "report/report.h"

/* Prints why each rank was idle, which ops limit the step most, and which split
 * of the layers would shorten it most. PP_BAD_INPUT where the report holds no timeline,
 * PP_ENVIRONMENT when out of memory. */
int pp_predict_explain(const struct pp_report *report, FILE *stream,
                       struct pp_error *error);

#endif
