#include "search/problem.h"

#include <math.h>
#include <stdlib.h>

/* What is held is counted in whole parts of the limit, so that sums are exact. */
#define LIMIT_PARTS 0x1p50

static int64_t parts(double memory, double limit)
{
    return llround(memory / limit * LIMIT_PARTS);
}

static int64_t take(const struct pp_costs *costs, int rank, int64_t time)
{
    double slow = costs->slow ? costs->slow[rank] : 1;
    return pp_nanoseconds((double)time * slow);
}

/* The part's input comes from the stage `from` by the row's producer. */
static void set_input(struct pp_problem *problem, const struct pp_costs *costs, int row,
                      int producer, int from)
{
    struct pp_part_row *at = &problem->rows[row], *source = &problem->rows[producer];
    int sender = problem->rank_of[from];
    const struct pp_hop *hop = pp_costs_hop(costs, sender, at->rank);
    at->producer = producer;
    source->consumer = at->rank;
    if (!hop)
        return;
    source->after = hop->sender;
    at->before = hop->receiver;
    at->delay = hop->sender + pp_hop_wire(hop, costs->message_bytes) + hop->latency;
}

static void set_stage(struct pp_problem *problem, const struct pp_costs *costs, int s,
                      const struct pp_hold *hold, double limit)
{
    static const enum pp_kind kind_of[PP_PARTS] = {PP_F, PP_I, PP_W};
    int64_t held = parts(hold->forward, limit), kept = parts(hold->weight, limit);
    const int64_t holds[PP_PARTS] = {held, kept - held, -kept};
    struct pp_part_row *rows = &problem->rows[pp_row(s, PP_PART_F)];
    int rank = problem->rank_of[s];
    for (int part = 0; part < PP_PARTS; part++)
        rows[part] = (struct pp_part_row){
            .rank = rank,
            .producer = -1,
            .consumer = -1,
            .duration = take(costs, rank, costs->op[s][kind_of[part]]),
            .holds = holds[part],
            .again = part == PP_PART_I ? parts(hold->again[PP_I], limit) : 0,
        };
    int64_t whole = take(costs, rank, costs->op[s][PP_B]);
    int64_t apart = rows[PP_PART_I].duration + rows[PP_PART_W].duration;
    problem->whole[s] = whole < apart ? whole : apart;
}

static void set_ranks(struct pp_problem *problem)
{
    int per_rank = pp_rows_per_rank(problem), m = problem->microbatches;
    int64_t head = 0;
    for (int r = 0; r < problem->ranks; r++) {
        int *rows = &problem->rows_of[(size_t)r * (size_t)per_rank], count = 0;
        for (int row = 0; row < problem->stages * PP_PARTS; row++) {
            const struct pp_part_row *at = &problem->rows[row];
            if (at->rank != r)
                continue;
            rows[count++] = row;
            problem->work[r] += m * (at->before + at->duration + at->after);
        }
        /* Stage r is the first of rank r, in a loop as on a V. */
        const struct pp_part_row *first = &problem->rows[pp_row(r, PP_PART_F)];
        problem->head[r] = head + first->delay + first->before;
        problem->work[r] -= first->before;
        head = problem->head[r] + first->duration;
    }
}

/* How long a microbatch is on its way, by stages. */
static void set_ways(struct pp_problem *problem)
{
    int64_t time = 0;
    for (int s = 0; s < problem->stages; s++) {
        const struct pp_part_row *f = &problem->rows[pp_row(s, PP_PART_F)];
        problem->there[s] = time += f->delay + f->duration;
    }
    time = 0;
    for (int s = problem->stages - 1; s >= 0; s--) {
        const struct pp_part_row *i = &problem->rows[pp_row(s, PP_PART_I)];
        int64_t least =
            i->duration < problem->whole[s] ? i->duration : problem->whole[s];
        problem->back[s] = time += i->delay + least;
    }
}

int pp_problem_init(struct pp_problem *problem, const struct pp_schedule *shape,
                    const struct pp_costs *costs, const struct pp_hold *hold,
                    double limit, enum pp_objective objective, struct pp_error *error)
{
    size_t stages = (size_t)shape->stages, ranks = (size_t)shape->ranks;
    *problem = (struct pp_problem){
        .ranks = shape->ranks,
        .stages = shape->stages,
        .chunks = shape->chunks,
        .microbatches = shape->microbatches,
        .placement = shape->placement,
        .objective = objective,
        .rank_of = calloc(stages, sizeof *problem->rank_of),
        .rows = calloc(stages * PP_PARTS, sizeof *problem->rows),
        .rows_of = calloc(stages * PP_PARTS, sizeof *problem->rows_of),
        .there = calloc(stages, sizeof *problem->there),
        .back = calloc(stages, sizeof *problem->back),
        .head = calloc(ranks, sizeof *problem->head),
        .work = calloc(ranks, sizeof *problem->work),
        .whole = calloc(stages, sizeof *problem->whole),
        .limit = (int64_t)(LIMIT_PARTS * (1 + 1e-9)),
    };
    if (!problem->rank_of || !problem->rows || !problem->rows_of || !problem->there ||
        !problem->back || !problem->head || !problem->work || !problem->whole) {
        pp_problem_release(problem);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                       shape->stages);
    }
    for (int s = 0; s < shape->stages; s++)
        problem->rank_of[s] = shape->rank_of[s];
    for (int s = 0; s < shape->stages; s++)
        set_stage(problem, costs, s, &hold[s], limit);
    for (int s = 1; s < shape->stages; s++) {
        set_input(problem, costs, pp_row(s, PP_PART_F), pp_row(s - 1, PP_PART_F),
                  s - 1);
        set_input(problem, costs, pp_row(s - 1, PP_PART_I), pp_row(s, PP_PART_I), s);
    }
    set_ranks(problem);
    set_ways(problem);
    return 0;
}

void pp_problem_release(struct pp_problem *problem)
{
    free(problem->rank_of);
    free(problem->rows);
    free(problem->rows_of);
    free(problem->there);
    free(problem->back);
    free(problem->head);
    free(problem->work);
    free(problem->whole);
    *problem = (struct pp_problem){0};
}

double pp_least_memory(const struct pp_schedule *shape, const struct pp_hold *hold)
{
    double most = 0;
    for (int r = 0; r < shape->ranks; r++) {
        double held = 0, again = 0;
        for (int s = 0; s < shape->stages; s++)
            if (shape->rank_of[s] == r) {
                held += hold[s].forward;
                again = fmax(again, hold[s].again[PP_I]);
            }
        most = fmax(most, held + again);
    }
    return most;
}
