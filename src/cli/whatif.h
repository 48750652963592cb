/* What the step would take under another layer split, from what a run measured. */
#ifndef PP_CLI_WHATIF_H
#define PP_CLI_WHATIF_H

#include "report/report.h"

struct pp_even_split {
    bool known;        /* false: the report's split is even already, or not recorded */
    char split[256];   /* "4,4,4,4" */
    double makespan_s; /* predicted */
    double bubble;     /* predicted fraction */
};

/* Predicts the even split: a layer costs what it costs on average on the stages without
 * the head, and what the last stage takes beyond its layers is the head's.
 * PP_ENVIRONMENT when out of memory. */
int pp_predict_even_split(const struct pp_report *report, struct pp_even_split *even,
                          struct pp_error *error);

#endif
