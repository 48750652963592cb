/* What the schedules' files share. */
#ifndef PP_SCHEDULES_RULES_H
#define PP_SCHEDULES_RULES_H

#include "schedules/catalogue_rows.h"
#include "schedules/scheduler.h"

/* What schedules that interleave chunks share (interleaved.c). The j-th forward, or
 * backward of the given kind, of a rank: in groups of group_size microbatches. */
void pp_push_turn(struct pp_schedule *schedule, enum pp_kind kind, int rank, long j);

/* Does this N keep the ranks busy? Every group must be as long as the pipeline, or the
 * next chunk's input is not there when the group's turn ends. */
bool pp_group_fits(const struct pp_shape *shape, int N);

/* The smallest N (so the fewest in flight) with the smallest bubble. */
int pp_best_group_size(const struct pp_shape *shape);

/* Declares every row of the catalogue: the build makes catalogue_rows.h from the table
 * in meson.build. */
#define PP_ROW(row) extern const struct pp_scheduler row;
PP_CATALOGUE_ROWS
#undef PP_ROW

#endif
