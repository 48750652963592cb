/* The search: several shapes of the same work, each with the orders that it starts
 * from; the best shapes are searched the longest. */
#ifndef PP_SEARCH_SEARCH_H
#define PP_SEARCH_SEARCH_H

#include "search/anneal.h"

struct pp_searched {
    struct pp_problem problem;
    struct pp_best best;
    int64_t bound; /* of the objective, in ns */
};

/* Takes over the problem. PP_ENVIRONMENT when out of memory; may be released then. */
int pp_searched_init(struct pp_searched *searched, struct pp_problem *problem,
                     struct pp_error *error);
void pp_searched_release(struct pp_searched *searched);

/* Starts from a schedule of the problem's shape too, if it fits into the limit with
 * its microbatches in ascending order. */
int pp_searched_start(struct pp_searched *searched, const struct pp_schedule *schedule,
                      struct pp_error *error);

/* Starts from the orders of another one too, of the same shape but other costs. */
int pp_searched_adopt(struct pp_searched *searched, const struct pp_searched *other,
                      struct pp_error *error);

/* Starts from what pp_construct makes, by all its rules. */
int pp_searched_construct(struct pp_searched *searched, struct pp_error *error);

/* Searches until that share of the budget is used, or no bound is below the best. The
 * same seed and iterations give the same orders. Those without any start stay without.
 */
int pp_search(struct pp_searched *const *searched, int count, uint64_t seed,
              double until, struct pp_budget *budget, struct pp_error *error);

/* The one with the smallest objective; NULL if there is none. */
struct pp_searched *pp_search_best(struct pp_searched *const *searched, int count);

#endif
