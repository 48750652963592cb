/* Ops are appended one by one, in the order of their starts, those of one start by
 * rank: every choice of orders has exactly one such sequence. It is given up when what
 * is left must take it to the best so far. */
#include "exhaustive.h"

#include <string.h>

enum { F, I, W, KINDS };

struct rank {
    int done[KINDS];
    int64_t free, first;
};

struct state {
    const struct pp_exhaustive *asked;
    struct rank ranks[PP_MOST_TRIED_RANKS];
    int64_t end[PP_MOST_TRIED_RANKS][KINDS][PP_MOST_TRIED_MICROBATCHES];
    int64_t best;
};

static int64_t takes(const struct pp_exhaustive *asked, int r, int kind)
{
    const int64_t time[KINDS] = {asked->forward, asked->input, asked->weight};
    return time[kind] * asked->factor[r];
}

static int64_t left(const struct state *state, int r, int kind)
{
    const struct pp_exhaustive *asked = state->asked;
    return (asked->microbatches - state->ranks[r].done[kind]) * takes(asked, r, kind);
}

/* Can what was begun, when nothing starts before now, still be better than the best? */
static bool hopeful(const struct state *state, int64_t now)
{
    const struct pp_exhaustive *asked = state->asked;
    for (int r = 0; r < asked->ranks; r++) {
        const struct rank *rank = &state->ranks[r];
        if (rank->done[W] == asked->microbatches)
            continue;
        int64_t from = rank->free > now ? rank->free : now;
        int64_t begun = rank->done[F] > 0 ? rank->first : from;
        int64_t origin = asked->by_span ? begun : 0;
        if (from + left(state, r, F) + left(state, r, I) + left(state, r, W) - origin >=
            state->best)
            return false;
        /* The last I of this rank, then those of the ranks before it. */
        int64_t end = from + left(state, r, F) + left(state, r, I);
        for (int q = r - 1; q >= 0 && rank->done[I] < asked->microbatches; q--) {
            end += asked->hop + takes(asked, q, I);
            origin = asked->by_span ? state->ranks[q].first : 0;
            bool known = !asked->by_span || state->ranks[q].done[F] > 0;
            if (known && end + takes(asked, q, W) - origin >= state->best)
                return false;
        }
    }
    return true;
}

/* When the rank's next op of the kind can start; false if it cannot yet. */
static bool start_of(const struct state *state, int r, int kind, int64_t *start)
{
    const struct pp_exhaustive *asked = state->asked;
    const struct rank *rank = &state->ranks[r];
    int i = rank->done[kind], from = kind == F ? r - 1 : r + 1;
    *start = rank->free;
    if (i == asked->microbatches || (kind > F && rank->done[kind - 1] <= i))
        return false;
    if (kind == F && asked->limit < asked->held * (rank->done[F] - rank->done[I] + 1) +
                                        asked->kept * (rank->done[I] - rank->done[W]))
        return false;
    if (kind == W || from < 0 || from == asked->ranks)
        return true;
    if (state->ranks[from].done[kind] <= i)
        return false;
    int64_t arrival = state->end[from][kind][i] + asked->hop;
    *start = arrival > *start ? arrival : *start;
    return true;
}

static int64_t objective(const struct state *state)
{
    int64_t most = 0;
    for (int r = 0; r < state->asked->ranks; r++) {
        const struct rank *rank = &state->ranks[r];
        int64_t own = rank->free - (state->asked->by_span ? rank->first : 0);
        most = own > most ? own : most;
    }
    return most;
}

/* The last op that was placed started now, on the rank `last`. */
static void go_on(struct state *state, int64_t now, int last, int placed)
{
    const struct pp_exhaustive *asked = state->asked;
    if (placed == KINDS * asked->ranks * asked->microbatches) {
        int64_t own = objective(state);
        state->best = own < state->best ? own : state->best;
        return;
    }
    if (!hopeful(state, now))
        return;
    for (int r = 0; r < asked->ranks; r++) {
        for (int kind = F; kind < KINDS; kind++) {
            struct rank *rank = &state->ranks[r], before = *rank;
            int64_t start;
            if (!start_of(state, r, kind, &start) || start < now ||
                (start == now && r < last))
                continue;
            if (rank->done[F] == 0)
                rank->first = start;
            rank->free = start + takes(asked, r, kind);
            state->end[r][kind][rank->done[kind]++] = rank->free;
            go_on(state, start, r, placed + 1);
            *rank = before;
        }
    }
}

int64_t pp_exhaustive(const struct pp_exhaustive *asked, int64_t below)
{
    struct state state = {.asked = asked, .best = below};
    go_on(&state, 0, 0, 0);
    return state.best;
}
