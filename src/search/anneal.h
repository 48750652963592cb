/* Local search: simulated annealing (Kirkpatrick, Gelatt & Vecchi, Science 220, 1983)
 * over the ranks' orders. A move takes one op to another slot of its rank. That puts
 * off a W or pulls it ahead, swaps neighbours, and, since the ops of a row are numbered
 * in order, takes an F from the steady phase into the warm-up. */
#ifndef PP_SEARCH_ANNEAL_H
#define PP_SEARCH_ANNEAL_H

#include "search/times.h"

/* How long to search, and who is told. */
struct pp_budget {
    int64_t iterations; /* candidates; 0: as many as the seconds allow */
    double seconds;
    int64_t done;   /* candidates tried so far */
    double started; /* on the monotonic clock, in s */
    /* Called now and then, if not NULL, with the share of the budget that is used, 0 to
     * 1. Returns whether to go on. */
    bool (*tell)(void *data, double used);
    void *data;
    bool stopped;
};

/* Starts the clock. */
void pp_budget_start(struct pp_budget *budget);
/* How long ago that was. */
double pp_budget_seconds(const struct pp_budget *budget);
/* The share of it that is used, 0 to 1. */
double pp_budget_used(const struct pp_budget *budget);

struct pp_annealing {
    uint64_t seed, stream; /* of the random numbers */
    double until;          /* stop when this share of the budget is used */
    int64_t enough;        /* or when the objective is no more than this */
    double hot, cold;      /* the temperature at the start and at the end, as a share of
                            * the longest work of a rank */
};

/* The best orders so far: by the objective, and where that is equal, by the cost. */
struct pp_best {
    struct pp_orders orders;
    int64_t objective; /* ns; INT64_MAX while there are none */
    double cost;       /* INFINITY likewise */
};

/* Keeps the orders, just timed, if they are the best so far. */
void pp_best_offer(struct pp_best *best, const struct pp_orders *orders,
                   const struct pp_times *times, double cost);

/* Searches on from the orders in `now`; offers what it finds to best. */
void pp_anneal(const struct pp_annealing *annealing, struct pp_budget *budget,
               struct pp_orders *now, struct pp_times *times, struct pp_best *best);

#endif
