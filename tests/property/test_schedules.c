/* What holds for every schedule of the catalogue, over many shapes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../unit/replay.h"
#include "../unit/unit.h"
#include "base/random.h"
#include "schedules/rules.h"

enum { MOST_RANKS = 16, MOST_CHUNKS = 4, MOST_MICROBATCHES = 40 };

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* No rank can begin before its first stage's input is made, nor be the last to work
 * before the stages ahead of its first have run backwards: a rank that has only whole
 * backwards ends with one. */
static int64_t least_makespan(const struct replay *replay)
{
    const struct pp_schedule *schedule = &replay->schedule;
    int64_t least = 0, head = 0, tail = 0;
    bool split = false;
    for (size_t k = 0; k < pp_schedule_ops(schedule); k++)
        split |= schedule->ops[k].kind == PP_W;
    for (int s = 0; s < schedule->stages; s++) {
        int rank = schedule->rank_of[s];
        /* Where a rank holds several copies' stages, the other's may come first. */
        if (schedule->copies == 1 && schedule->chunk_of[s] == 0)
            least = max(least,
                        head + replay->metrics.of_rank[rank].busy + (split ? 0 : tail));
        least = max(least, replay->metrics.of_rank[rank].busy);
        head += replay->costs.op[s][PP_F];
        tail += pp_decodes(schedule) ? 0 : replay->costs.op[s][PP_B];
    }
    return least;
}

static void check_causes(const struct replay *replay)
{
    for (int r = 0; r < replay->metrics.ranks; r++) {
        const struct pp_rank_metrics *rank = &replay->metrics.of_rank[r];
        const struct pp_causes *causes = &rank->causes;
        ck_assert_int_ge(causes->dependency, 0);
        ck_assert_int_eq(causes->communication, 0);
        ck_assert_int_eq(causes->overhead, 0);
        ck_assert_int_eq(rank->idle,
                         causes->warmup + causes->dependency + causes->cooldown);
    }
}

/* Accepted by the judge, ends, and cannot be better than possible. */
START_TEST(every_shape_runs)
{
    const struct pp_scheduler *row = pp_catalogue_row(_i);
    int built = 0;
    for (int p = 1; p <= MOST_RANKS; p++) {
        for (int v = 1; v <= MOST_CHUNKS; v++) {
            for (int m = 1; m <= MOST_MICROBATCHES; m++) {
                struct pp_shape shape = {.ranks = p, .chunks = v, .microbatches = m};
                struct replay replay;
                if (!replay_init(&replay, row, &shape))
                    continue;
                built++;
                pp_costs_fill(&replay.costs, 5, 4, 3);
                replay_run(&replay);
                long whole = pp_row_decodes(row) ? 5 : 12;
                ck_assert_int_eq(replay.metrics.busy, whole * p * v * m);
                ck_assert_msg(replay.metrics.makespan >= least_makespan(&replay),
                              "%s p=%d v=%d m=%d: makespan %ld, at least %ld",
                              row->name, p, v, m, (long)replay.metrics.makespan,
                              (long)least_makespan(&replay));
                check_causes(&replay);
                replay_release(&replay);
            }
        }
    }
    /* One number of chunks and a third of the numbers of microbatches, at the least; of
     * both even numbers where directions meet. */
    int part = row->placement == PP_MIRRORED ? 7 : 3;
    ck_assert_int_ge(built, MOST_RANKS * MOST_MICROBATCHES / part);
}
END_TEST

/* What a cost model can be given, at random. */
static void random_costs(struct pp_costs *costs, uint64_t seed)
{
    uint64_t n = 0;
    for (int s = 0; s < costs->stages; s++) {
        for (int kind = 0; kind < PP_KINDS; kind++)
            costs->op[s][kind] = (int64_t)pp_below(pp_random(seed, 0, n++), 50);
    }
    costs->near.latency = (int64_t)pp_below(pp_random(seed, 1, 0), 20);
    costs->near.sender = (int64_t)pp_below(pp_random(seed, 1, 1), 5);
    costs->near.receiver = (int64_t)pp_below(pp_random(seed, 1, 2), 5);
    costs->far = costs->near;
    costs->far.latency *= 3;
    costs->ranks_per_node = 2;
}

START_TEST(makespan_never_rises_when_a_cost_falls)
{
    const struct pp_scheduler *row = pp_catalogue_row(_i);
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct pp_shape shape = {
            .ranks = 1 + (int)pp_below(pp_random(seed, 2, 0), 6),
            .chunks = 1 + (int)pp_below(pp_random(seed, 2, 1), 3),
            .microbatches = 1 + (int)pp_below(pp_random(seed, 2, 2), 20),
        };
        struct replay replay;
        if (!replay_init(&replay, row, &shape))
            continue;
        random_costs(&replay.costs, seed);
        replay_run(&replay);
        int64_t before = replay.metrics.makespan;
        int stage = (int)pp_below(pp_random(seed, 3, 0), (uint64_t)shape.ranks);
        switch (pp_below(pp_random(seed, 3, 1), 6)) {
        case 4:
            replay.costs.near.latency /= 2;
            break;
        case 5:
            replay.costs.far.receiver = 0;
            break;
        default:
            replay.costs.op[stage][pp_below(pp_random(seed, 3, 2), PP_KINDS)] /= 2;
        }
        replay_run(&replay);
        ck_assert_msg(replay.metrics.makespan <= before, "%s: %ld became %ld",
                      row->name, (long)before, (long)replay.metrics.makespan);
        replay_release(&replay);
    }
}
END_TEST

/* How a closed form fares: how often it is given, and where it first fails. */
struct trial {
    int given;
    char failure[256]; /* empty: nowhere */
};

/* One that says it is exact must equal the simulation; another be near. */
static void check_theory(const struct pp_scheduler *row, struct pp_shape shape,
                         const int64_t cost[5], struct trial *trial)
{
    struct replay replay;
    struct pp_equal_costs equal;
    struct pp_theory theory;
    const char *why = NULL;
    if (!replay_init(&replay, row, &shape))
        return;
    pp_costs_fill(&replay.costs, cost[0], cost[1], cost[2]);
    replay.costs.near.latency = cost[3];
    for (int s = 0; s < replay.schedule.stages; s++)
        replay.costs.op[s][PP_B] += cost[4];
    ck_assert(pp_costs_equal(&replay.costs, &replay.schedule, &equal));
    if (!row->theory(&shape, &equal, &theory, &why)) {
        ck_assert_ptr_nonnull(why);
    } else {
        replay_run(&replay);
        double bubble = (double)replay_bubble(&replay, theory.by_span);
        double busy = (double)replay.metrics.of_rank[0].busy;
        double room = theory.exact ? 1e-9 : 0.1 * (double)replay.metrics.makespan;
        bool holds = fabs(bubble - theory.bubble) < room &&
                     fabs(theory.makespan - busy - theory.bubble) < 1e-6;
        if (!holds && !trial->failure[0])
            sprintf(trial->failure,
                    "p=%d v=%d m=%d N=%d costs %ld %ld %ld %ld: bubble %g, form %g",
                    shape.ranks, shape.chunks, shape.microbatches, shape.group_size,
                    (long)cost[0], (long)cost[1], (long)cost[2], (long)cost[3], bubble,
                    theory.bubble);
        trial->given++;
    }
    replay_release(&replay);
}

/* A row says that its closed form is checked where this test does so, and only there.
 */
START_TEST(closed_forms_hold)
{
    /* F, I, W, hop, and what B takes beyond I and W */
    static const int64_t costs[][5] = {
        {12, 12, 12, 0, 5}, {12, 12, 6, 0, -4}, {12, 12, 12, 0}, {12, 12, 12, 1},
        {12, 12, 12, 6},    {12, 12, 12, 12},   {10, 10, 10, 5}, {20, 10, 10, 0},
        {20, 10, 10, 5},    {12, 18, 6, 3},     {12, 24, 12, 7}, {6, 12, 12, 0},
        {6, 12, 12, 9},     {12, 12, 24, 5},    {30, 12, 20, 0}, {30, 12, 20, 9},
        {12, 12, 0, 0},     {12, 12, 0, 40},    {31, 7, 5, 2},   {31, 7, 5, 30},
        {5, 40, 3, 1},      {5, 40, 3, 22},
    };
    const struct pp_scheduler *row = pp_catalogue_row(_i);
    struct trial trial = {0};
    ck_assert_msg(row->theory || !row->checked, "'%s' has no closed form to be checked",
                  row->name);
    if (!row->theory)
        return;
    for (int p = 1; p <= 8; p++)
        for (int v = 1; v <= 4; v++)
            for (int m = 1; m <= 40; m++)
                for (size_t k = 0; k < sizeof costs / sizeof costs[0]; k++) {
                    struct pp_shape shape = {p, v, m, 0};
                    check_theory(row, shape, costs[k], &trial);
                    for (int g = 1; pp_row_decodes(row) && g <= m + 1; g += 1 + g / 3) {
                        shape.groups = g;
                        check_theory(row, shape, costs[k], &trial);
                    }
                    bool groups = row->best_group_size != NULL;
                    for (int N = 1; groups && p <= 4 && m <= 12 && N <= m + p; N++) {
                        shape.group_size = N;
                        check_theory(row, shape, costs[k], &trial);
                    }
                }
    ck_assert_msg(!trial.failure[0], "the closed form of '%s' does not hold: %s",
                  row->name, trial.failure);
    ck_assert_int_gt(trial.given, row->placement == PP_MIRRORED ? 100 : 300);
    ck_assert_msg(row->checked,
                  "the closed form of '%s' holds in %d cases: say .checked = true",
                  row->name, trial.given);
}
END_TEST

/* Most microbatches (times chunks) in flight on a rank; -1: not in the reference. */
static int expected_peak(const char *name, const struct pp_shape *shape, int rank)
{
    int p = shape->ranks, v = shape->chunks, m = shape->microbatches;
    int peak = -1;
    if (strcmp(name, "sequential") == 0)
        return v;
    if (strcmp(name, "decode") == 0)
        return 1;
    if (strcmp(name, "gpipe") == 0 || strcmp(name, "bfs") == 0)
        return m * v;
    if (strcmp(name, "1f1b") == 0)
        peak = p - rank;
    if (strcmp(name, "interleaved-1f1b") == 0)
        peak = 2 * (p - 1 - rank) + (v - 1) * shape->group_size + 1;
    if (strcmp(name, "zb-h1") == 0)
        peak = p;
    if (strcmp(name, "zb-h2") == 0)
        peak = 2 * p - 1;
    if (strcmp(name, "zb-v") == 0 && m >= 2 * p)
        peak = 2 * p;
    if (strcmp(name, "v-half") == 0 && m >= 2 * p) /* two chunks a microbatch */
        peak = 2 * (p / 2 + 1);
    if (strcmp(name, "dualpipev") == 0)
        peak = 2 * p + 1;
    if (strcmp(name, "dualpipe") == 0)
        peak = p + 1;
    if (strcmp(name, "chimera") == 0 && m % p == 0)
        peak = p / 2 + 1 + (rank < p / 2 ? rank : p - 1 - rank);
    if (strcmp(name, "hanayo") == 0 && m % p == 0)
        peak = p * v - (p - 1 - rank);
    return peak < m * v ? peak : m * v;
}

START_TEST(peaks_are_those_of_the_papers)
{
    const struct pp_scheduler *row = pp_catalogue_row(_i);
    for (int p = 1; p <= 8; p++)
        for (int v = 1; v <= 4; v++)
            for (int m = 1; m <= MOST_MICROBATCHES; m++) {
                struct pp_shape shape = {p, v, m, 0};
                struct replay replay;
                if (!replay_init(&replay, row, &shape))
                    continue;
                pp_costs_fill(&replay.costs, 1, 1, 1);
                replay_run(&replay);
                for (int r = 0; r < p; r++) {
                    int expected = expected_peak(row->name, &shape, r);
                    int peak = replay.metrics.of_rank[r].peak_in_flight;
                    ck_assert_msg(expected < 0 || peak == expected,
                                  "%s p=%d v=%d m=%d rank %d: %d in flight, not %d",
                                  row->name, p, v, m, r, peak, expected);
                }
                replay_release(&replay);
            }
}
END_TEST

static int64_t makespan_with_group(struct pp_shape shape, int group_size,
                                   const int64_t cost[4])
{
    struct replay replay;
    shape.group_size = group_size;
    if (!replay_init(&replay, pp_catalogue_find("interleaved-1f1b"), &shape))
        return INT64_MAX;
    pp_costs_fill(&replay.costs, cost[0], cost[1], cost[2]);
    replay.costs.near.latency = cost[3];
    replay_run(&replay);
    int64_t makespan = replay.metrics.makespan;
    replay_release(&replay);
    return makespan;
}

/* The group size that interleaved-1f1b chooses is the smallest of the best. */
START_TEST(chosen_group_is_best)
{
    static const int64_t costs[][4] = {{1, 1, 1, 0}, {3, 1, 1, 0}, {1, 4, 2, 0}};
    const int64_t *cost = costs[_i];
    for (int p = 1; p <= 5; p++)
        for (int v = 2; v <= 3; v++)
            for (int m = 1; m <= 16; m++) {
                struct pp_shape shape = {p, v, m, 0};
                struct replay replay;
                ck_assert(replay_init(&replay, pp_catalogue_find("interleaved-1f1b"),
                                      &shape));
                replay_release(&replay);
                int64_t chosen = makespan_with_group(shape, shape.group_size, cost);
                for (int N = 1; N <= 2 * m; N++) {
                    int64_t other = makespan_with_group(shape, N, cost);
                    ck_assert_msg(N < shape.group_size ? other > chosen
                                                       : other >= chosen,
                                  "p=%d v=%d m=%d: N=%d takes %ld, N=%d takes %ld", p,
                                  v, m, shape.group_size, (long)chosen, N, (long)other);
                }
            }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schedules");
    TCase *tcase = tcase_create("schedules");
    int rows = pp_catalogue_count();
    tcase_add_loop_test(tcase, every_shape_runs, 0, rows);
    tcase_add_loop_test(tcase, makespan_never_rises_when_a_cost_falls, 0, rows);
    tcase_add_loop_test(tcase, closed_forms_hold, 0, rows);
    tcase_add_loop_test(tcase, peaks_are_those_of_the_papers, 0, rows);
    tcase_add_loop_test(tcase, chosen_group_is_best, 0, 3);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
