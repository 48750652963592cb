/* What is searched: the ops of one shape with their costs, what they hold, and what is
 * to become small. */
#ifndef PP_SEARCH_PROBLEM_H
#define PP_SEARCH_PROBLEM_H

#include "schedule/held.h"
#include "simulate/costs.h"

enum { PP_MOST_SEARCHED_CHUNKS = 64 };

enum pp_objective {
    PP_LEAST_SPAN,    /* the longest time from a rank's first start to its last end */
    PP_LEAST_MAKESPAN /* the time from the first start of all to the last end of all */
};

/* The ops of one stage and kind, of all microbatches: they differ in nothing else. Each
 * stage has three, in the order in which a microbatch meets them. All times in ns. */
enum pp_part { PP_PART_F, PP_PART_I, PP_PART_W, PP_PARTS };

struct pp_part_row {
    int rank;
    int producer; /* the row that it waits for, of the same microbatch, on whatever
                   * rank; -1: none but its own stage's */
    int consumer; /* the rank that waits for its output; -1: none */
    int64_t duration;
    int64_t before, after; /* the rank is kept busy by messages */
    int64_t delay;         /* from the end of the producer's op to the arrival */
    int64_t holds; /* by how much it changes what the rank holds: a growth from its
                    * start on, a decline from its end on */
    int64_t again; /* it holds so much more while it runs */
};

struct pp_problem {
    int ranks, stages, chunks, microbatches;
    enum pp_placement placement;
    enum pp_objective objective;
    int *rank_of;             /* [stages] */
    struct pp_part_row *rows; /* [stages][PP_PARTS] */
    int *rows_of;             /* [ranks][chunks * PP_PARTS] rows of each rank */
    int64_t *there; /* [stages] from a microbatch's first start to the end of its F
                     * there, at least */
    int64_t *back;  /* [stages] from the end of its last F to that of its I there */
    int64_t *head;  /* [ranks] its first op cannot start earlier, and does not
                     * start later: it is the first microbatch's F */
    int64_t *work;  /* [ranks] what its ops take, messages included that are
                     * taken in behind its first start */
    int64_t *whole; /* [stages] what I and W take as one op B, if that is less than
                     * both take apart; else both */
    int64_t limit;  /* of what a rank holds, in the unit of holds */
};

static inline int pp_row(int stage, enum pp_part part)
{
    return stage * PP_PARTS + (int)part;
}

static inline enum pp_part pp_part_of(int row)
{
    return (enum pp_part)(row % PP_PARTS);
}

/* The k-th stage of a rank. */
static inline int pp_stage_at(const struct pp_problem *problem, int rank, int k)
{
    return problem->rows_of[(rank * problem->chunks + k) * PP_PARTS] / PP_PARTS;
}

static inline int pp_rows_per_rank(const struct pp_problem *problem)
{
    return problem->chunks * PP_PARTS;
}

static inline int pp_ops_per_rank(const struct pp_problem *problem)
{
    return pp_rows_per_rank(problem) * problem->microbatches;
}

/* The shape is the schedule's, of which no ops are needed: as many stages on every
 * rank, PP_MOST_SEARCHED_CHUNKS at most, in a loop or on a V. hold: [stages], in
 * the unit of the limit. limit:
 * what a rank may hold, more than 0. The costs must know neither jitter nor queues.
 * PP_ENVIRONMENT when out of memory. */
int pp_problem_init(struct pp_problem *problem, const struct pp_schedule *shape,
                    const struct pp_costs *costs, const struct pp_hold *hold,
                    double limit, enum pp_objective objective, struct pp_error *error);
void pp_problem_release(struct pp_problem *problem);

/* The least that any schedule needs on some rank: one microbatch on all its stages. */
double pp_least_memory(const struct pp_schedule *shape, const struct pp_hold *hold);

/* Does this much fit? A sum of fractions may be a little off. */
static inline bool pp_memory_fits(double memory, double limit)
{
    return memory <= limit * (1 + 1e-9);
}

#endif
