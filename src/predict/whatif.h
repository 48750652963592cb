/* What the step would take if something were other, from what it took: simulations on a
 * report's own costs. */
#ifndef PP_PREDICT_WHATIF_H
#define PP_PREDICT_WHATIF_H

#include "report/print/explain.h"

struct pp_even_split {
    bool known;        /* false: the report's split is even already, or not recorded */
    char split[256];   /* "4,4,4,4" */
    double makespan_s; /* predicted */
    double bubble;     /* predicted fraction */
};

/* Finds the ops, of one stage and kind, that would shorten the step most if they were a
 * tenth faster, by simulating the step so for each; of very many, for those that have
 * most of the critical path. Not known where the costs alone do not make the step (far
 * or serialised links, a cost of pairs). PP_BAD_INPUT without a timeline,
 * PP_ENVIRONMENT when out of memory. */
int pp_predict_speedup(const struct pp_report *report, struct pp_speedup *speedup,
                       struct pp_error *error);

/* Predicts the even split: a layer costs what it costs on average on the stages without
 * the head, and what the last stage takes beyond its layers is the head's.
 * PP_ENVIRONMENT when out of memory. */
int pp_predict_even_split(const struct pp_report *report, struct pp_even_split *even,
                          struct pp_error *error);

#endif
