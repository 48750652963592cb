/* Which schedules are valid. */
#ifndef PP_SCHEDULE_VERIFY_H
#define PP_SCHEDULE_VERIFY_H

#include "schedule/schedule.h"

/* Accepts a schedule only if every (stage, microbatch) has exactly one F and either
 * one B, or one I then one W, each after what it needs on its own rank, on the rank
 * that holds the stage, and if executing the ranks' ops in order cannot block. One that
 * decodes must have exactly one F of every (stage, microbatch) and nothing else, on
 * each stage those of a group in ascending order (its keys and values grow by them),
 * and tokens go to one microbatch at most.
 *
 * On failure returns -1 with PP_BAD_INPUT and one line per problem, up to 20: where
 * (what the schedule is called, its name or the path of its file; rank, position), the
 * op, the rule, what would be right. A deadlock is shown as its cycle of waits, each op
 * named. PP_ENVIRONMENT when out of memory. */
int pp_verify(const struct pp_schedule *schedule, const char *called,
              struct pp_error *error);

/* Its two parts: each op by itself and beside the others of its stage, and whether the
 * ranks' orders block together, for a schedule that has passed the first. */
int pp_verify_ops(const struct pp_schedule *schedule, const char *called,
                  struct pp_error *error);
int pp_verify_order(const struct pp_schedule *schedule, const char *called,
                    struct pp_error *error);

#endif
