#include "search/construct.h"

#include <stdlib.h>
#include <string.h>

/* An op that a rank could do next; of those that start first the one with the higher
 * urgency. */
struct choice {
    int row; /* -1: none */
    int urgency;
    int64_t start;
};

struct construction {
    const struct pp_problem *problem;
    const struct pp_orders *guide; /* NULL: none */
    int rules;
    int *placed;            /* [rows] microbatches */
    int *slots;             /* [ranks] filled */
    int *guided;            /* [ranks] of the guide's slots, passed */
    int64_t *free, *held;   /* [ranks] */
    int64_t *end;           /* [rows][microbatches] */
    int64_t *first_input;   /* [ranks] no I of the rank can start earlier */
    struct choice *choices; /* [ranks] */
};

static int construction_init(struct construction *state,
                             const struct pp_problem *problem, struct pp_error *error)
{
    size_t rows = (size_t)problem->stages * PP_PARTS, ranks = (size_t)problem->ranks;
    state->problem = problem;
    state->placed = calloc(rows, sizeof *state->placed);
    state->slots = calloc(ranks, sizeof *state->slots);
    state->guided = calloc(ranks, sizeof *state->guided);
    state->free = calloc(ranks, sizeof *state->free);
    state->held = calloc(ranks, sizeof *state->held);
    state->choices = calloc(ranks, sizeof *state->choices);
    state->first_input = calloc(ranks, sizeof *state->first_input);
    state->end = calloc(rows * (size_t)problem->microbatches, sizeof *state->end);
    if (state->placed && state->slots && state->guided && state->free && state->held &&
        state->first_input && state->choices && state->end)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                   problem->stages);
}

static void construction_release(struct construction *state)
{
    free(state->placed);
    free(state->slots);
    free(state->guided);
    free(state->free);
    free(state->held);
    free(state->first_input);
    free(state->choices);
    free(state->end);
}

/* The first microbatch goes through all stages, and comes back. */
static void set_first_inputs(struct construction *state)
{
    const struct pp_problem *problem = state->problem;
    int64_t time = 0;
    for (int s = 0; s < problem->stages; s++) {
        const struct pp_part_row *f = &problem->rows[pp_row(s, PP_PART_F)];
        time += f->delay + f->duration;
    }
    for (int s = problem->stages - 1; s >= 0; s--) {
        const struct pp_part_row *i = &problem->rows[pp_row(s, PP_PART_I)];
        time += i->delay;
        int64_t *first = &state->first_input[i->rank];
        *first = *first == 0 ? time : *first; /* of its last stage */
        time += i->duration;
    }
}

static int stage_of(int row)
{
    return row / PP_PARTS;
}

/* When the input of the row's next op is there; false if it is not known yet. */
static bool arrival_of(const struct construction *state, int row, int64_t *arrival)
{
    const struct pp_problem *problem = state->problem;
    const struct pp_part_row *at = &problem->rows[row];
    int i = state->placed[row];
    *arrival = 0;
    if (i == problem->microbatches ||
        (pp_part_of(row) != PP_PART_F && state->placed[row - 1] <= i))
        return false;
    if (at->producer < 0)
        return true;
    if (state->placed[at->producer] <= i)
        return false;
    *arrival =
        state->end[(size_t)at->producer * (size_t)problem->microbatches + (size_t)i] +
        at->delay;
    return true;
}

/* Is there room for an F, and for those of the later stages of its rank, without which
 * nothing would ever be released? */
static bool has_room(const struct construction *state, int row)
{
    const struct pp_problem *problem = state->problem;
    int rank = problem->rows[row].rank;
    int64_t held = state->held[rank], again = 0;
    for (int k = 0; k < pp_rows_per_rank(problem); k++) {
        int of = problem->rows_of[rank * pp_rows_per_rank(problem) + k];
        const struct pp_part_row *at = &problem->rows[of];
        held += pp_part_of(of) == PP_PART_F && of >= row ? at->holds : 0;
        again = at->again > again ? at->again : again;
    }
    return held + again <= problem->limit;
}

/* May the rank do this F at that time, by the rules? */
static bool wants_forward(const struct construction *state, int row, int64_t start)
{
    const struct pp_problem *problem = state->problem;
    const struct pp_part_row *at = &problem->rows[row];
    int s = stage_of(row), back = pp_row(s, PP_PART_I);
    int next = pp_row(s + 1, PP_PART_F);
    if (!has_room(state, row))
        return false;
    bool first = state->placed[back] == 0 && start < state->first_input[at->rank];
    if (first && !(state->rules & PP_RULE_LATE) &&
        start + at->duration > state->first_input[at->rank] && state->placed[row] > 0 &&
        s < problem->ranks)
        return false;
    return !(state->rules & PP_RULE_EVEN) || s + 1 == problem->stages || first ||
           state->placed[row] <= state->placed[next] + 1;
}

/* The F or I that comes next in the guide's order; -1 at its end. */
static int guided_row(const struct construction *state, int rank)
{
    const struct pp_slot *slots = pp_slots_of(state->guide, rank);
    int k = state->guided[rank];
    return k < state->guide->length ? slots[k].row : -1;
}

/* Leads the guide past a slot that was placed, and any W behind it. */
static void lead_on(struct construction *state, int rank, bool placed)
{
    int *k = &state->guided[rank];
    *k += placed;
    while (guided_row(state, rank) >= 0 &&
           pp_part_of(guided_row(state, rank)) == PP_PART_W)
        ++*k;
}

/* May F or I come next by the guide, and fits? */
static bool is_guided(const struct construction *state, int row)
{
    const struct pp_part_row *at = &state->problem->rows[row];
    int64_t held = state->held[at->rank] + (at->holds > 0 ? at->holds : 0) + at->again;
    return guided_row(state, at->rank) == row && held <= state->problem->limit;
}

/* The row's next op, if it is possible. A W is put off by as long as a gap has to be.
 */
static bool choose_row(const struct construction *state, int row, struct choice *choice)
{
    const struct pp_part_row *at = &state->problem->rows[row];
    int64_t arrival, free = state->free[at->rank];
    if (!arrival_of(state, row, &arrival))
        return false;
    if (state->guide && pp_part_of(row) != PP_PART_W && !is_guided(state, row))
        return false;
    int64_t start = arrival > free ? arrival : free;
    int urgency = 0, stages = state->problem->stages;
    switch (pp_part_of(row)) {
    case PP_PART_F:
        if (!state->guide && !wants_forward(state, row, start))
            return false;
        urgency = stage_of(row);
        break;
    case PP_PART_I:
        urgency = stages + stage_of(row);
        break;
    default:
        start += state->rules & PP_RULE_TIGHT ? at->duration / 2 : at->duration;
        urgency = -1;
        break;
    }
    *choice = (struct choice){row, urgency, start};
    return true;
}

static struct choice choose(const struct construction *state, int rank)
{
    const struct pp_problem *problem = state->problem;
    int per_rank = pp_rows_per_rank(problem);
    struct choice best = {.row = -1, .start = INT64_MAX}, choice;
    for (int k = 0; k < per_rank; k++) {
        if (!choose_row(state, problem->rows_of[rank * per_rank + k], &choice))
            continue;
        if (choice.start < best.start ||
            (choice.start == best.start && choice.urgency > best.urgency))
            best = choice;
    }
    return best;
}

/* What the rank could do next may be something else now. */
static void refresh(struct construction *state, int rank)
{
    if (rank >= 0)
        state->choices[rank] = choose(state, rank);
}

static void place(struct construction *state, struct pp_orders *orders, int row)
{
    const struct pp_problem *problem = state->problem;
    const struct pp_part_row *at = &problem->rows[row];
    int64_t arrival = 0, *free = &state->free[at->rank];
    arrival_of(state, row, &arrival);
    int i = state->placed[row]++;
    int64_t start = (arrival > *free ? arrival : *free) + at->before;
    int64_t end = start + at->duration;
    state->end[(size_t)row * (size_t)problem->microbatches + (size_t)i] = end;
    *free = end + at->after;
    state->held[at->rank] += at->holds;
    pp_slots_of(orders, at->rank)[state->slots[at->rank]++] = (struct pp_slot){row, i};
    if (state->guide && pp_part_of(row) != PP_PART_W)
        lead_on(state, at->rank, true);
    refresh(state, at->rank);
    refresh(state, at->consumer);
    if (pp_part_of(row) == PP_PART_F && stage_of(row) > 0) /* PP_RULE_EVEN */
        refresh(state, problem->rank_of[stage_of(row) - 1]);
}

/* The next op of all ranks; row -1: there is none, or none is possible. */
static struct choice choose_of_all(const struct construction *state)
{
    struct choice best = {.row = -1, .start = INT64_MAX};
    for (int r = 0; r < state->problem->ranks; r++) {
        const struct choice *choice = &state->choices[r];
        if (choice->row >= 0 && choice->start < best.start)
            best = *choice;
    }
    return best;
}

int pp_construct(struct pp_orders *orders, const struct pp_orders *guide, int rules,
                 bool *possible, struct pp_error *error)
{
    const struct pp_problem *problem = orders->problem;
    struct construction state = {.guide = guide, .rules = rules};
    *possible = false;
    if ((double)problem->ranks * problem->ranks * orders->length > PP_MOST_LOOKS)
        return 0;
    int status = construction_init(&state, problem, error);
    if (status == 0) {
        long left = (long)problem->ranks * orders->length;
        set_first_inputs(&state);
        for (int r = 0; guide && r < problem->ranks; r++)
            lead_on(&state, r, false);
        for (int r = 0; r < problem->ranks; r++)
            refresh(&state, r);
        struct choice next = choose_of_all(&state);
        for (; next.row >= 0; next = choose_of_all(&state)) {
            place(&state, orders, next.row);
            left--;
        }
        *possible = left == 0 && pp_orders_settle(orders);
    }
    construction_release(&state);
    return status;
}
