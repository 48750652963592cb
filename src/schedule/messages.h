/* Whether the communication cells of a schedule file fit its compute cells. */
#ifndef PP_SCHEDULE_MESSAGES_H
#define PP_SCHEDULE_MESSAGES_H

#include "schedule/cell.h"

/* Checks the cells of the file at path, row by row as first says (struct pp_schedule),
 * against the schedule of its compute cells, which has passed pp_verify: every input
 * from another rank is received once, before the op that needs it; every output for
 * another rank is sent once, after the op that makes it; nothing else is sent or
 * received; what is unsharded, resharded or reduced stands on its rank. The order of a
 * pair of ranks' messages may differ at the two ends: ours are told apart by tags.
 *
 * PP_BAD_INPUT with one line per problem, up to 20. */
int pp_messages_check(const struct pp_schedule *schedule, const char *path,
                      const struct pp_action_cell *cells, const size_t *first,
                      struct pp_error *error);

#endif
