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

/* What DualPipe's order (dualpipe.c) depends on, for one rank. Two directions meet: 0
 * is the one that the rank takes first, 1 the other. */
struct pp_dual {
    int stage[2];      /* that the rank runs for each direction */
    int microbatch[2]; /* the first of each */
    int before;        /* ranks between this one and where direction 0 enters */
    int behind;        /* ranks between this one and where the directions meet */
    int steady;        /* how often a pair of each direction is joined in the middle */
};
void pp_push_dual(struct pp_schedule *schedule, const struct pp_dual *dual);

/* Its bubble: (F&B + B - 3W) for each of the ramps, of which the paper's dualpipe has
 * p/2 - 1, for joined pairs that take the sum of both. Where the ramps' ops do not fit
 * into each other, sets *why and returns false. */
bool pp_dual_form(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                  double ramps, struct pp_theory *theory, const char **why);

/* The order that Chimera and Hanayo share (chimera.c), for one rank: so many
 * microbatches of each weight copy make a unit, and a unit follows the other. */
void pp_push_units(struct pp_schedule *schedule, int rank, int microbatches);

/* Their bubble where p divides m, in whole ops of a rank that a unit leaves idle: the
 * longer kind of op once, and from then on for each unit what B and F differ by. Where
 * the form does not hold, sets *why and returns false. */
bool pp_units_form(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   double idle, struct pp_theory *theory, const char **why);

/* Declares every row of the catalogue: the build makes catalogue_rows.h from the table
 * in meson.build. */
#define PP_ROW(row) extern const struct pp_scheduler row;
PP_CATALOGUE_ROWS
#undef PP_ROW

#endif
