/* Theory and prediction: what a report's bubble is compared with. */
#ifndef PP_PREDICT_PREDICT_H
#define PP_PREDICT_PREDICT_H

#include "model/config.h"
#include "report/report.h"
#include "schedules/catalogue.h"
#include "simulate/costs.h"

/* The cost model that a run measured: the median of each (stage, kind) and the link;
 * for a schedule that decodes of each (stage, class) by its label and rows. Where those
 * rows were not measured, the line through the two nearest numbers of rows that were,
 * down to no less than 0; of one, what it took. message_bytes is of every message
 * between stages, of a row where it decodes. Where I and W were not
 * measured, each is half of B, but for the forward that B computes again: that is I's;
 * B is then I and W together. PP_BAD_INPUT if the report's stages are not the
 * schedule's, or it lacks the forward or backward of one. */
int pp_costs_from_report(struct pp_costs *costs, const struct pp_report *report,
                         const struct pp_schedule *schedule, double message_bytes,
                         struct pp_error *error);

/* Did the report's backward ops compute activations again? */
enum pp_recompute pp_report_recompute(const struct pp_report *report);

/* Bytes of a message between stages: one microbatch's activations, (B, T, C) floats. */
double pp_message_bytes(const struct pp_model_config *model);
/* Those of one row of them, (C) floats: of what costs_from_report wants for decoding. */
double pp_row_bytes(const struct pp_model_config *model);

/* Sets the report's theory: the closed form of the catalogue's row for equal costs, or
 * why there is none. row NULL: the schedule is from a file. why_not, if not NULL, is a
 * reason known to the caller. */
void pp_set_theory(struct pp_report *report, const struct pp_scheduler *row,
                   const struct pp_shape *shape, const struct pp_equal_costs *equal,
                   const char *why_not);

/* The bubble and makespan of the schedule, simulated with these costs. */
int pp_predict(const struct pp_schedule *schedule, const struct pp_costs *costs,
               double *bubble, double *makespan_s, struct pp_error *error);

#endif
