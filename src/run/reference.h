/* What a run's numbers are held against: the sequential run. */
#ifndef PP_RUN_REFERENCE_H
#define PP_RUN_REFERENCE_H

#include "schedule/schedule.h"

/* The sequential schedule on one rank with one stage, of as many microbatches and
 * weight copies as the run's, each copy with the same microbatches. PP_ENVIRONMENT when
 * out of memory. */
int pp_reference_schedule(struct pp_schedule *reference,
                          const struct pp_schedule *schedule, struct pp_error *error);

#endif
