/* Which rank holds which stage, and how many copies of the weights there are: what the
 * rows of a schedule file say of it. */
#ifndef PP_SCHEDULE_COPIES_H
#define PP_SCHEDULE_COPIES_H

#include "schedule/cell.h"

/* Fills in rank_of, and copies and copy_of where there are several, from the cells of
 * the file at path, row by row as first says (struct pp_schedule): csv.h has the rule.
 * Where no stage is reduced in two rows there is one copy, and what stands in two rows
 * is left for pp_verify to refuse.
 *
 * PP_BAD_INPUT with one line per problem, up to 20. */
int pp_copies_place(struct pp_schedule *schedule, const char *path,
                    const struct pp_action_cell *cells, const size_t *first,
                    struct pp_error *error);

#endif
