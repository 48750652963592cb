/* What the schedules' files share: constraints, and the order of groups. */
#ifndef PP_SCHEDULES_RULES_H
#define PP_SCHEDULES_RULES_H

#include "schedules/catalogue_rows.h"
#include "schedules/scheduler.h"

/* Refuses more than one stage per rank, naming the schedules that take them. */
int pp_check_one_chunk(struct pp_shape *shape, struct pp_error *error);

/* What schedules that interleave chunks share (interleaved.c). The j-th forward, or
 * backward of the given kind, of a rank: in groups of group_size microbatches. */
void pp_push_turn(struct pp_schedule *schedule, enum pp_kind kind, int rank, long j);

/* Does this N keep the ranks busy? Every group must be as long as the pipeline, or the
 * next chunk's input is not there when the group's turn ends. */
bool pp_group_fits(const struct pp_shape *shape, int N);

/* Chooses the group size if it is not given. */
int pp_check_groups(struct pp_shape *shape, struct pp_error *error);

/* Refuses what does not fit two stages per rank on a V. */
int pp_check_v(struct pp_shape *shape, struct pp_error *error);

/* Declares every row of the catalogue: the build makes catalogue_rows.h from the table
 * in meson.build. */
#define PP_ROW(row) extern const struct pp_scheduler row;
PP_CATALOGUE_ROWS
#undef PP_ROW

#endif
