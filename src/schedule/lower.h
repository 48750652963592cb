/* Lowering: a schedule of compute ops with the sends and receives that follow from its
 * dependencies written out, in the order in which torch.distributed.pipelining puts
 * them (_merge_bw and _add_send_recv in its schedules.py). */
#ifndef PP_SCHEDULE_LOWER_H
#define PP_SCHEDULE_LOWER_H

#include "schedule/cell.h"

struct pp_lowered {
    size_t *first;                /* [ranks + 1] as in struct pp_schedule */
    struct pp_action_cell *cells; /* [first[ranks]] */
};

/* The schedule must have passed pp_verify. An I with its own W right behind it becomes
 * one B. PP_ENVIRONMENT when out of memory. */
int pp_lower(struct pp_lowered *lowered, const struct pp_schedule *schedule,
             struct pp_error *error);
void pp_lowered_release(struct pp_lowered *lowered);

#endif
