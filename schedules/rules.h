/* What several schedules share: the rows of the catalogue, and constraints. */
#ifndef PP_SCHEDULES_RULES_H
#define PP_SCHEDULES_RULES_H

#include "schedules/catalogue.h"

/* Refuses more than one stage per rank, naming the schedules that take them. */
int pp_check_one_chunk(struct pp_shape *shape, struct pp_error *error);

extern const struct pp_scheduler pp_sequential, pp_gpipe, pp_1f1b, pp_interleaved;

#endif
