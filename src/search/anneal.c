#include "search/anneal.h"

#include <math.h>
#include <time.h>

#include "base/random.h"

enum { CHECK_EVERY = 256 }; /* candidates between two looks at the clock */

static double monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void pp_budget_start(struct pp_budget *budget)
{
    budget->started = monotonic();
    budget->done = 0;
    budget->stopped = false;
}

double pp_budget_seconds(const struct pp_budget *budget)
{
    return monotonic() - budget->started;
}

double pp_budget_used(const struct pp_budget *budget)
{
    double used = budget->iterations > 0
                      ? (double)budget->done / (double)budget->iterations
                      : pp_budget_seconds(budget) / budget->seconds;
    return budget->stopped || used > 1 ? 1 : used;
}

struct draws {
    uint64_t seed, stream, count;
};

static uint64_t draw(struct draws *draws)
{
    return pp_random(draws->seed, draws->stream, draws->count++);
}

/* How far an op is moved: mostly past a few others, now and then anywhere. */
static int distance(const struct pp_problem *problem, struct draws *draws)
{
    uint64_t bits = draw(draws);
    int near = problem->chunks * PP_PARTS, far = pp_ops_per_rank(problem) / 2;
    int most = bits % 16 < 8 ? near : bits % 16 < 14 ? 3 * near : far;
    most = most < 1 ? 1 : most;
    return 1 + (int)pp_below(bits, (uint64_t)most);
}

struct move {
    int rank, from, to;
};

/* Returns whether the move changes anything. */
static bool draw_move(const struct pp_orders *now, struct draws *draws,
                      struct move *move)
{
    const struct pp_problem *problem = now->problem;
    move->rank = (int)pp_below(draw(draws), (uint64_t)problem->ranks);
    move->from = (int)pp_below(draw(draws), (uint64_t)now->length);
    int by = distance(problem, draws);
    move->to = move->from + (draw(draws) % 2 == 0 ? by : -by);
    if (move->to < 0 || move->to >= now->length)
        return false;
    const struct pp_slot *slots = pp_slots_of(now, move->rank);
    return slots[move->from].row != slots[move->to].row;
}

/* Tries the move; keeps it if it costs at most that much. Returns the cost, INFINITY if
 * it was not kept. */
static double try_move(struct pp_orders *now, struct pp_times *times, struct move move,
                       double most)
{
    int low = move.from < move.to ? move.from : move.to;
    if (!pp_orders_move(now, move.rank, move.from, move.to)) {
        pp_orders_move(now, move.rank, move.to, move.from);
        return INFINITY;
    }
    double cost = pp_times_from(times, now, move.rank, low, most);
    if (cost <= most)
        return cost;
    pp_times_undo(times);
    pp_orders_move(now, move.rank, move.to, move.from);
    return INFINITY;
}

static double longest_work(const struct pp_problem *problem)
{
    int64_t most = 0;
    for (int r = 0; r < problem->ranks; r++)
        most = problem->work[r] > most ? problem->work[r] : most;
    return (double)most;
}

void pp_best_offer(struct pp_best *best, const struct pp_orders *orders,
                   const struct pp_times *times, double cost)
{
    int64_t objective = isinf(cost) ? INT64_MAX : pp_times_objective(times);
    if (objective > best->objective ||
        (objective == best->objective && cost >= best->cost))
        return;
    best->objective = objective;
    best->cost = cost;
    pp_orders_copy(&best->orders, orders);
}

void pp_anneal(const struct pp_annealing *annealing, struct pp_budget *budget,
               struct pp_orders *now, struct pp_times *times, struct pp_best *best)
{
    struct draws draws = {.seed = annealing->seed, .stream = annealing->stream};
    double work = longest_work(now->problem), current = pp_times_all(times, now);
    double begun = pp_budget_used(budget), temperature = 0;
    for (int64_t i = 0;; i++) {
        if (i % CHECK_EVERY == 0) {
            double used = pp_budget_used(budget);
            if (used >= annealing->until)
                return;
            double part = (used - begun) / (annealing->until - begun);
            temperature =
                work * annealing->hot * pow(annealing->cold / annealing->hot, part);
            if (budget->tell && !budget->tell(budget->data, used))
                budget->stopped = true;
        }
        struct move move;
        budget->done++;
        if (!draw_move(now, &draws, &move))
            continue;
        double most = current - temperature * log(pp_uniform(draw(&draws)));
        double tried = try_move(now, times, move, most);
        if (isinf(tried))
            continue;
        current = tried;
        pp_best_offer(best, now, times, current);
        if (best->objective <= annealing->enough)
            return;
    }
}
