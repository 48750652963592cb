#include "search/search.h"

#include <math.h>
#include <stdlib.h>

#include "search/bound.h"
#include "search/construct.h"

int pp_searched_init(struct pp_searched *searched, struct pp_problem *problem,
                     struct pp_error *error)
{
    *searched = (struct pp_searched){
        .problem = *problem,
        .best = {.objective = INT64_MAX, .cost = INFINITY},
    };
    *problem = (struct pp_problem){0};
    searched->bound = pp_bound(&searched->problem);
    return pp_orders_init(&searched->best.orders, &searched->problem, error);
}

void pp_searched_release(struct pp_searched *searched)
{
    pp_orders_release(&searched->best.orders);
    pp_problem_release(&searched->problem);
}

static void offer(struct pp_searched *searched, const struct pp_orders *orders,
                  struct pp_times *times)
{
    pp_best_offer(&searched->best, orders, times, pp_times_all(times, orders));
}

/* Orders to work on, and their times. */
struct desk {
    struct pp_orders orders;
    struct pp_times times;
};

static int desk_init(struct desk *desk, const struct pp_problem *problem,
                     struct pp_error *error)
{
    *desk = (struct desk){0};
    if (pp_orders_init(&desk->orders, problem, error) != 0)
        return -1;
    return pp_times_init(&desk->times, problem, error);
}

static void desk_release(struct desk *desk)
{
    pp_orders_release(&desk->orders);
    pp_times_release(&desk->times);
}

/* Offers the desk's orders, and those with their W placed anew. */
static int offer_with_guide(struct pp_searched *searched, struct desk *desk,
                            struct pp_error *error)
{
    struct pp_orders guide;
    int status = pp_orders_init(&guide, &searched->problem, error);
    if (status != 0)
        return -1;
    offer(searched, &desk->orders, &desk->times);
    pp_orders_copy(&guide, &desk->orders);
    for (int rules = 0; rules <= PP_RULE_TIGHT && status == 0; rules += PP_RULE_TIGHT) {
        bool possible = false;
        status = pp_construct(&desk->orders, &guide, rules, &possible, error);
        if (status == 0 && possible)
            offer(searched, &desk->orders, &desk->times);
    }
    pp_orders_release(&guide);
    return status;
}

int pp_searched_start(struct pp_searched *searched, const struct pp_schedule *schedule,
                      struct pp_error *error)
{
    struct desk desk;
    int status = desk_init(&desk, &searched->problem, error);
    if (status == 0 && pp_orders_take(&desk.orders, schedule))
        status = offer_with_guide(searched, &desk, error);
    desk_release(&desk);
    return status;
}

int pp_searched_adopt(struct pp_searched *searched, const struct pp_searched *other,
                      struct pp_error *error)
{
    struct desk desk;
    int status = desk_init(&desk, &searched->problem, error);
    if (status == 0) {
        pp_orders_copy(&desk.orders, &other->best.orders);
        if (pp_orders_settle(&desk.orders))
            offer(searched, &desk.orders, &desk.times);
    }
    desk_release(&desk);
    return status;
}

int pp_searched_construct(struct pp_searched *searched, struct pp_error *error)
{
    struct desk desk;
    int status = desk_init(&desk, &searched->problem, error);
    for (int rules = 0; rules < PP_RULE_COMBINATIONS && status == 0; rules++) {
        bool possible = false;
        status = pp_construct(&desk.orders, NULL, rules, &possible, error);
        if (status == 0 && possible)
            offer(searched, &desk.orders, &desk.times);
    }
    desk_release(&desk);
    return status;
}

/* --- rounds ----------------------------------------------------------------------- */

/* In each round the most promising shapes share a part of the budget. */
struct round {
    int shapes;
    double part;
    double hot, cold;
};

static const struct round rounds[] = {
    {4, 0.3, 1e-4, 5e-6},
    {2, 0.3, 2e-4, 5e-6},
    {1, 0.4, 5e-4, 5e-6},
};

/* Searches one shape on. */
static int improve(struct pp_searched *searched, const struct pp_annealing *annealing,
                   struct pp_budget *budget, struct pp_error *error)
{
    struct desk desk;
    int status = desk_init(&desk, &searched->problem, error);
    if (status == 0) {
        pp_orders_copy(&desk.orders, &searched->best.orders);
        pp_anneal(annealing, budget, &desk.orders, &desk.times, &searched->best);
    }
    desk_release(&desk);
    return status;
}

static int by_objective(const void *a, const void *b)
{
    const struct pp_searched *x = *(struct pp_searched *const *)a;
    const struct pp_searched *y = *(struct pp_searched *const *)b;
    if (x->best.objective != y->best.objective)
        return x->best.objective < y->best.objective ? -1 : 1;
    return (x > y) - (x < y);
}

/* Those that can still be the best, the best so far first. Returns how many. */
static int rank_shapes(struct pp_searched *const *searched, int count,
                       struct pp_searched **ranked)
{
    const struct pp_searched *best = pp_search_best(searched, count);
    int able = 0;
    for (int k = 0; k < count; k++) {
        if (searched[k]->best.objective < INT64_MAX &&
            searched[k]->bound < best->best.objective)
            ranked[able++] = searched[k];
    }
    qsort(ranked, (size_t)able, sizeof(struct pp_searched *), by_objective);
    return able;
}

/* One round, from `from` on to the share `to` of the budget. */
static int search_round(const struct round *round, struct pp_searched **ranked,
                        int able, const struct pp_annealing *start, double from,
                        double to, struct pp_budget *budget, struct pp_error *error)
{
    int shapes = able < round->shapes ? able : round->shapes, status = 0;
    for (int k = 0; k < shapes && status == 0; k++) {
        struct pp_annealing annealing = *start;
        annealing.stream += (uint64_t)k;
        annealing.until = from + (to - from) * (k + 1) / shapes;
        annealing.enough = ranked[k]->bound;
        annealing.hot = round->hot;
        annealing.cold = round->cold;
        status = improve(ranked[k], &annealing, budget, error);
    }
    return status;
}

int pp_search(struct pp_searched *const *searched, int count, uint64_t seed,
              double until, struct pp_budget *budget, struct pp_error *error)
{
    struct pp_searched **ranked = calloc((size_t)count, sizeof(struct pp_searched *));
    const int last = (int)(sizeof rounds / sizeof *rounds) - 1;
    double begun = pp_budget_used(budget), planned = 0;
    int status = ranked ? 0 : pp_fail(error, PP_ENVIRONMENT, "out of memory to search");
    /* What a shape that reached its bound has left goes to further last rounds. */
    for (int r = 0; status == 0 && pp_budget_used(budget) < until; r++) {
        const struct round *round = &rounds[r < last ? r : last];
        const struct pp_annealing start = {.seed = seed, .stream = 16 * (uint64_t)r};
        int able = rank_shapes(searched, count, ranked);
        if (able == 0)
            break;
        planned += round->part;
        double to = r < last ? begun + planned * (until - begun) : until;
        if (to > pp_budget_used(budget))
            status = search_round(round, ranked, able, &start, pp_budget_used(budget),
                                  to, budget, error);
    }
    free(ranked);
    return status;
}

struct pp_searched *pp_search_best(struct pp_searched *const *searched, int count)
{
    struct pp_searched *best = NULL;
    for (int k = 0; k < count; k++) {
        if (searched[k]->best.objective < INT64_MAX &&
            (!best || searched[k]->best.objective < best->best.objective))
            best = searched[k];
    }
    return best;
}
