/* When each op of some orders starts, and what that costs: the simulation's rule (an op
 * starts when its rank is free and its input has arrived), made for millions of
 * candidates that differ in one move.
 *
 * A candidate is given up as soon as it must cost more than is of use: a rank's gaps up
 * to now, and the work that it has left, bound its end from below. And only what starts
 * after the place of the move is timed anew: nothing before it can change. */
#ifndef PP_SEARCH_TIMES_H
#define PP_SEARCH_TIMES_H

#include "search/orders.h"

struct pp_times {
    const struct pp_problem *problem; /* borrowed */
    int64_t *start;                   /* [rows][microbatches]; owned */
    struct pp_rank_time *ranks;       /* [ranks] where the evaluation is; owned */
    int *done;                        /* [rows] microbatches timed; owned */
    int *stack;                       /* [ranks] that can go on; owned */
    struct pp_changed *changed;       /* [all ops] what the evaluation changed; owned */
    size_t changes;
};

/* PP_ENVIRONMENT when out of memory. */
int pp_times_init(struct pp_times *times, const struct pp_problem *problem,
                  struct pp_error *error);
void pp_times_release(struct pp_times *times);

/* The cost: the objective, in ns, and a small share of what the mean rank takes, so
 * that the search sees that a rank other than the last one has got better. */
double pp_times_cost(const struct pp_times *times);

/* The objective alone, in ns, of what was timed last to its end. */
int64_t pp_times_objective(const struct pp_times *times);

/* Times all ops. Returns the cost, INFINITY if the orders block. */
double pp_times_all(struct pp_times *times, const struct pp_orders *orders);

/* Times the ops that can have changed, when the slots of the rank from `low` on have.
 * Returns the cost; or INFINITY as soon as it is more than most, or if the orders
 * block: pp_times_undo then brings back the times before. */
double pp_times_from(struct pp_times *times, const struct pp_orders *orders, int rank,
                     int low, double most);
void pp_times_undo(struct pp_times *times);

#endif
