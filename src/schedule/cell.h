/* One action of a schedule file: csv.h has the grammar. */
#ifndef PP_SCHEDULE_CELL_H
#define PP_SCHEDULE_CELL_H

#include "schedule/schedule.h"

/* The first four are enum pp_kind. */
enum pp_action {
    PP_ACTION_F = PP_F,
    PP_ACTION_B = PP_B,
    PP_ACTION_I = PP_I,
    PP_ACTION_W = PP_W,
    PP_SEND_F,
    PP_RECV_F,
    PP_SEND_B,
    PP_RECV_B,
    PP_UNSHARD,
    PP_RESHARD,
    PP_REDUCE_GRAD
};

struct pp_action_cell {
    uint32_t stage;
    uint32_t microbatch; /* 0 where the action has none */
    uint32_t column;     /* 0-based cell of the row */
    uint8_t action;      /* enum pp_action */
    uint8_t joined;      /* with the next, see struct pp_op */
};

static inline bool pp_is_compute(enum pp_action action)
{
    return action <= PP_ACTION_W;
}

static inline bool pp_is_message(enum pp_action action)
{
    return action >= PP_SEND_F && action <= PP_RECV_B;
}

/* Reads the length >= 1 characters of a cell without padding into one action, or two
 * where they are joined, and returns how many; or 0, and in *problem what is wrong,
 * with what would be right. */
int pp_cell_parse(const char *text, size_t length, struct pp_action_cell cells[2],
                  const char **problem);

/* Writes one action, without its partner if it is joined; returns buffer. */
enum { PP_CELL_TEXT = 40 };
char *pp_cell_text(const struct pp_action_cell *cell, char buffer[PP_CELL_TEXT]);

extern const char pp_old_dialect[]; /* the hint for files that have BW */

#endif
