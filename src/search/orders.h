/* The ranks' orders, as the search changes them: a row of slots per rank, with the ops
 * of each row of the problem (one stage, one kind) in ascending microbatch order. So an
 * order is a word whose letters are rows; which microbatch a letter stands for follows
 * from the letters before it. */
#ifndef PP_SEARCH_ORDERS_H
#define PP_SEARCH_ORDERS_H

#include "search/problem.h"

struct pp_slot {
    int row, microbatch;
};

struct pp_orders {
    const struct pp_problem *problem; /* borrowed */
    int length;                       /* ops of a rank; all have as many */
    struct pp_slot *slots;            /* [ranks][length], owned */
    int *position;    /* [rows][microbatches] the slot of each op on its rank; owned */
    int64_t *holding; /* [ranks][length] what the rank holds after each slot, what is
                       * released at the op's end left out; owned */
};

/* Allocates empty orders. PP_ENVIRONMENT when out of memory. */
int pp_orders_init(struct pp_orders *orders, const struct pp_problem *problem,
                   struct pp_error *error);
void pp_orders_release(struct pp_orders *orders);
/* Of the same problem. */
void pp_orders_copy(struct pp_orders *to, const struct pp_orders *from);

static inline struct pp_slot *pp_slots_of(const struct pp_orders *orders, int rank)
{
    return &orders->slots[(size_t)rank * (size_t)orders->length];
}

static inline size_t pp_slot_id(const struct pp_problem *problem, struct pp_slot slot)
{
    return (size_t)slot.row * (size_t)problem->microbatches + (size_t)slot.microbatch;
}

/* Takes the slots as they stand: sets position and holding. Returns whether each rank's
 * order is possible by itself: every F before its I, that before its W, and nowhere
 * more held than the limit. */
bool pp_orders_settle(struct pp_orders *orders);

/* Takes a schedule's order, of the problem's shape: a B is I, then W; the ops of each
 * stage and kind get their microbatches in ascending order. Returns whether it is
 * possible, as above. */
bool pp_orders_take(struct pp_orders *orders, const struct pp_schedule *schedule);

/* Moves the op in the slot `from` of the rank to the slot `to`. Returns whether the
 * order is still possible; if not, moving back restores it. */
bool pp_orders_move(struct pp_orders *orders, int rank, int from, int to);

/* Writes the orders as a schedule of that name. PP_ENVIRONMENT when out of memory. */
int pp_orders_write(const struct pp_orders *orders, const char *name,
                    struct pp_schedule *schedule, struct pp_error *error);

#endif
