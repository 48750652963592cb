#include "search/bound.h"

#include <math.h>

/* In ns, of whole numbers that doubles hold exactly but for what is divided. */

static const struct pp_part_row *row_of(const struct pp_problem *problem, int s,
                                        enum pp_part part)
{
    return &problem->rows[pp_row(s, part)];
}

static double forward(const struct pp_problem *problem, int s)
{
    return (double)row_of(problem, s, PP_PART_F)->duration;
}

/* An I, or a B where that is shorter. */
static double input(const struct pp_problem *problem, int s)
{
    return fmin((double)row_of(problem, s, PP_PART_I)->duration,
                (double)problem->whole[s]);
}

/* What is left of the backward after that. */
static double weight(const struct pp_problem *problem, int s)
{
    return (double)problem->whole[s] - input(problem, s);
}

/* From the end of F on stage s to the end of I on stage to <= the last. */
static double there_and_back(const struct pp_problem *problem, int s, int to)
{
    int64_t last = problem->there[problem->stages - 1];
    return (double)(last - problem->there[s] + problem->back[to]);
}

static int last_stage(const struct pp_problem *problem, int rank)
{
    return pp_stage_at(problem, rank, problem->chunks - 1);
}

/* Something that a rank may do: what it is worth (time of F, memory released), and what
 * it takes (memory, time), all microbatches together. */
struct item {
    double value, weight;
};

/* Sorts by value per weight, the best first. Few items: one or two per stage. */
static void sort_items(struct item *items, int count)
{
    for (int k = 1; k < count; k++) {
        struct item item = items[k];
        int j = k;
        for (; j > 0 &&
               items[j - 1].value * item.weight < item.value * items[j - 1].weight;
             j--)
            items[j] = items[j - 1];
        items[j] = item;
    }
}

enum { MOST_ITEMS = 2 * PP_MOST_SEARCHED_CHUNKS };

/* 3: the time of the F that the rank may hold at once; all true if all fit. */
static double forwards_held(const struct pp_problem *problem, int rank, bool *all)
{
    struct item items[MOST_ITEMS];
    double m = problem->microbatches, limit = (double)problem->limit, time = 0;
    double least = INFINITY, most_held = 0;
    int count = 0;
    for (int k = 0; k < problem->chunks; k++) {
        int s = pp_stage_at(problem, rank, k);
        double held = (double)row_of(problem, s, PP_PART_F)->holds;
        items[count++] = (struct item){m * forward(problem, s), m * held};
        least = fmin(least, held);
        most_held = fmax(most_held, held);
    }
    sort_items(items, count);
    if (least == most_held && least > 0) /* whole ones */
        limit = least * floor(limit / least);
    *all = true;
    for (int k = 0; k < count; k++) {
        double part = items[k].weight <= limit ? 1 : limit / items[k].weight;
        *all &= part == 1;
        time += part * items[k].value;
        limit -= part * items[k].weight;
    }
    return time;
}

/* 3: how long the rank is idle before its first I. */
static double idle_at_first(const struct pp_problem *problem, int rank, bool *all)
{
    int last = last_stage(problem, rank);
    double head = (double)problem->head[rank];
    double first =
        forward(problem, 0) + there_and_back(problem, 0, last) - input(problem, last);
    return fmax(0, first - head - forwards_held(problem, rank, all));
}

/* 4: the least time in which the rank can release so much. On each stage I comes before
 * W: where W releases more per time than I, they count together. */
static double release_time(const struct pp_problem *problem, int rank, double excess)
{
    struct item items[MOST_ITEMS];
    double m = problem->microbatches, time = 0;
    int count = 0;
    for (int k = 0; k < problem->chunks; k++) {
        int s = pp_stage_at(problem, rank, k);
        double kept = -(double)row_of(problem, s, PP_PART_W)->holds;
        double freed = -(double)row_of(problem, s, PP_PART_I)->holds;
        double i = input(problem, s), w = weight(problem, s);
        if (freed * w <= kept * i) {
            items[count++] = (struct item){m * (freed + kept), m * (i + w)};
        } else {
            items[count++] = (struct item){m * freed, m * i};
            items[count++] = (struct item){m * kept, m * w};
        }
    }
    sort_items(items, count);
    for (int k = 0; k < count && excess > 0; k++) {
        double part = items[k].value <= excess ? 1 : excess / items[k].value;
        time += part * items[k].weight;
        excess -= part * items[k].value;
    }
    return time;
}

/* What a rank does, and when it cannot have ended earlier. */
struct rank_bound {
    double idle;           /* 3 */
    double last_f, last_i; /* 4 and 5: when they end */
    double held;           /* 6: memory times time */
    double work;
};

static struct rank_bound bound_rank(const struct pp_problem *problem, int rank)
{
    struct rank_bound bound = {0};
    double m = problem->microbatches, head = (double)problem->head[rank];
    double forwards = 0, inputs = 0, weights = 0, excess = -(double)problem->limit;
    bool all;
    for (int k = 0; k < problem->chunks; k++) {
        int s = pp_stage_at(problem, rank, k);
        double holds = (double)row_of(problem, s, PP_PART_F)->holds;
        double kept = -(double)row_of(problem, s, PP_PART_W)->holds;
        forwards += m * forward(problem, s);
        inputs += m * input(problem, s);
        weights += m * weight(problem, s);
        excess += m * holds;
        bound.held += m * holds * (forward(problem, s) + there_and_back(problem, s, s));
        bound.held += m * fmin(kept, holds) * weight(problem, s);
    }
    bound.idle = idle_at_first(problem, rank, &all);
    bound.work = forwards + inputs + weights;
    bound.last_i = head + bound.idle + forwards + inputs;
    bound.last_f = head + forwards;
    if (!all)
        bound.last_f += bound.idle + release_time(problem, rank, excess);
    return bound;
}

/* When rank q cannot have ended earlier, because of what rank r has to do. */
static double end_after(const struct pp_problem *problem,
                        const struct rank_bound *bound, int r, int q)
{
    int first = q, last = last_stage(problem, r); /* q's first stage, r's last */
    double end =
        bound->last_f + there_and_back(problem, last, first) + weight(problem, first);
    double after = bound->last_i;
    if (q > r)
        return end;
    after += (double)(problem->back[first] - problem->back[r]);
    return fmax(end, after + weight(problem, first));
}

int64_t pp_bound(const struct pp_problem *problem)
{
    double most = 0;
    bool by_span = problem->objective == PP_LEAST_SPAN;
    for (int r = 0; r < problem->ranks; r++) {
        struct rank_bound bound = bound_rank(problem, r);
        double head = by_span ? 0 : (double)problem->head[r];
        most = fmax(most, head + bound.idle + bound.work);
        most = fmax(most, head + bound.held / (double)problem->limit);
        for (int q = 0; q < problem->ranks; q++)
            most = fmax(most, end_after(problem, &bound, r, q) -
                                  (by_span ? (double)problem->head[q] : 0));
    }
    /* Objectives are whole. Sums of whole numbers are exact; where something was
     * divided it may be too large by a few roundings. */
    return (int64_t)ceil(most * (1 - 1e-13));
}
