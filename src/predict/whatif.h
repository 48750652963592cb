/* What a step would take if something changed: simulations with a report's own costs.
 */
#ifndef PP_PREDICT_WHATIF_H
#define PP_PREDICT_WHATIF_H

#include "report/print/explain.h"

/* Bytes of a message between stages, by the model's sizes in the report's config. */
double pp_report_message_bytes(const struct pp_report *report);

/* When each op of the step would have run with the report's median costs and link, from
 * 0 on. The caller releases the timeline, also after a failure. PP_BAD_INPUT where the
 * report lacks a cost, PP_ENVIRONMENT when out of memory. */
int pp_predict_timeline(const struct pp_report *report, struct pp_timeline *timeline,
                        struct pp_error *error);

/* Finds the stage and kind of op that limits the step most, by simulating the step with
 * the ops of each in turn a tenth faster; of very many, only those with the largest
 * share of the critical path. Not known where the step depends on more than the costs
 * (far or serialised links, a cost of joined pairs). PP_BAD_INPUT without a timeline,
 * PP_ENVIRONMENT when out of memory. */
int pp_predict_speedup(const struct pp_report *report, struct pp_speedup *speedup,
                       struct pp_error *error);

#endif
