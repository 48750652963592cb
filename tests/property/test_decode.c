/* Decoding by turns: the catalogue's closed form, and the general one for unequal
 * stages, against the simulation; and that against a discrete-event simulation that
 * knows groups which walk round a ring of stages, and no schedule. */
#include <math.h>
#include <stdlib.h>

#include "../unit/replay.h"
#include "../unit/unit.h"
#include "base/random.h"

enum { MOST_STAGES = 8, MOST_GROUPS = 9, MOST_TURNS = 8 };

/* What a trial decodes: stages that take cost, a hop between them, another one back. */
struct ring {
    int stages, groups, microbatches;
    int64_t cost[MOST_STAGES], hop, back;
};

static struct pp_shape shape_of(const struct ring *ring)
{
    return (struct pp_shape){.ranks = ring->stages,
                             .chunks = 1,
                             .microbatches = ring->microbatches,
                             .groups = ring->groups,
                             .rows = 2};
}

static void replay_ring(struct replay *replay, const struct ring *ring)
{
    struct pp_shape shape = shape_of(ring);
    ck_assert(replay_init(replay, pp_catalogue_find("decode"), &shape));
    for (int s = 0; s < ring->stages; s++)
        replay->costs.op[s][PP_F] = ring->cost[s];
    /* At a byte a ns, two rows of a token are 8 ns of the way back. */
    replay->costs.near.bandwidth = 1e9;
    replay->costs.near.latency = ring->back - 8;
    replay->costs.message_bytes = (double)(ring->hop - (ring->back - 8)) / 2;
    if (ring->back == 0) { /* free links */
        replay->costs.near.bandwidth = INFINITY;
        replay->costs.near.latency = 0;
        ck_assert_int_eq(ring->hop, 0);
    }
    replay_run(replay);
}

static int64_t max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sum_of(const struct ring *ring)
{
    int64_t sum = 0;
    for (int s = 0; s < ring->stages; s++)
        sum += ring->cost[s];
    return sum;
}

static int64_t slowest_of(const struct ring *ring)
{
    int64_t slowest = 0;
    for (int s = 0; s < ring->stages; s++)
        slowest = max(slowest, ring->cost[s]);
    return slowest;
}

/* A group that has gone round comes to the first stage again after this time. */
static int64_t period_of(const struct ring *ring)
{
    int64_t round = sum_of(ring) + (ring->stages - 1) * ring->hop +
                    (ring->stages > 1 ? ring->back : 0);
    return max(ring->groups * slowest_of(ring), round);
}

static void check_theory(const struct ring *ring, const struct replay *replay)
{
    struct pp_equal_costs equal;
    struct pp_theory theory;
    struct pp_shape shape = shape_of(ring);
    const char *why;
    ck_assert(pp_costs_equal(&replay->costs, &replay->schedule, &equal));
    ck_assert(pp_catalogue_find("decode")->theory(&shape, &equal, &theory, &why));
    ck_assert(theory.exact);
    ck_assert_msg((int64_t)theory.makespan == replay->metrics.makespan,
                  "p=%d g=%d m=%d c=%ld l=%ld back=%ld: %ld, form %g", ring->stages,
                  ring->groups, ring->microbatches, (long)ring->cost[0],
                  (long)ring->hop, (long)ring->back, (long)replay->metrics.makespan,
                  theory.makespan);
    ck_assert_int_eq((int64_t)theory.bubble, replay_bubble(replay, false));
}

/* 1 - gT/(Tp+g-1), or (p-1)/(gT+p-1): of free links and whole turns, as whole numbers.
 */
static void check_fraction(const struct ring *ring, const struct replay *replay)
{
    int64_t p = ring->stages, g = ring->groups, turns = ring->microbatches / g;
    int64_t idle = g <= p ? turns * p + g - 1 - g * turns : p - 1;
    int64_t all = g <= p ? turns * p + g - 1 : g * turns + p - 1;
    ck_assert_int_eq(replay->metrics.idle * all, idle * p * replay->metrics.makespan);
}

START_TEST(closed_form_is_exact)
{
    static const int64_t times[][3] = {/* c, hop, back */
                                       {3, 0, 0},    {10, 0, 0},  {10, 2, 8},
                                       {10, 10, 10}, {10, 7, 30}, {10, 40, 9},
                                       {1, 100, 100}};
    for (int p = 1; p <= 6; p++)
        for (int g = 1; g <= MOST_GROUPS; g++)
            for (int m = 1; m <= 6 * g; m++)
                for (size_t k = 0; k < sizeof times / sizeof times[0]; k++) {
                    struct ring ring = {.stages = p,
                                        .groups = g,
                                        .microbatches = m,
                                        .hop = times[k][1],
                                        .back = times[k][2]};
                    struct replay replay;
                    for (int s = 0; s < p; s++)
                        ring.cost[s] = times[k][0];
                    replay_ring(&replay, &ring);
                    check_theory(&ring, &replay);
                    if (ring.hop == 0 && m % g == 0)
                        check_fraction(&ring, &replay);
                    replay_release(&replay);
                }
}
END_TEST

/* --- a simulation by events ---------------------------------------------------------
 */

/* Groups that walk round the ring; each stage takes them in turn, from group 0 on. */
struct walkers {
    const struct ring *ring;
    int at[MOST_GROUPS];        /* the stage that the group is at, or comes to */
    int turn[MOST_GROUPS];      /* how often it was at the last one */
    int64_t there[MOST_GROUPS]; /* since when */
    int due[MOST_STAGES];       /* the microbatch that the stage takes next */
    int64_t free[MOST_STAGES];  /* when it can */
    int64_t start[MOST_STAGES][MOST_GROUPS * MOST_TURNS];
};

/* When the stage can begin with the group that is due; INT64_MAX: it is not there. */
static int64_t beginning(const struct walkers *walkers, int stage)
{
    int due = walkers->due[stage], group = due % walkers->ring->groups;
    bool there = due < walkers->ring->microbatches && walkers->at[group] == stage &&
                 walkers->turn[group] == due / walkers->ring->groups;
    return there ? max(walkers->there[group], walkers->free[stage]) : INT64_MAX;
}

/* Lets the earliest event happen; false: there is none. */
static bool happen(struct walkers *walkers)
{
    const struct ring *ring = walkers->ring;
    int stage = 0;
    for (int s = 1; s < ring->stages; s++) {
        if (beginning(walkers, s) < beginning(walkers, stage))
            stage = s;
    }
    int64_t begins = beginning(walkers, stage);
    if (begins == INT64_MAX)
        return false;
    int64_t ends = begins + ring->cost[stage];
    int due = walkers->due[stage]++, group = due % ring->groups;
    bool last = stage == ring->stages - 1;
    walkers->start[stage][due] = begins;
    walkers->free[stage] = ends;
    walkers->at[group] = last ? 0 : stage + 1;
    walkers->turn[group] += last;
    walkers->there[group] = ends + (ring->stages == 1 ? 0
                                    : last            ? ring->back
                                                      : ring->hop);
    return true;
}

/* Only decides how a test's random numbers are used. */
static int any(uint64_t trial, int *draw, int least, int most)
{
    uint64_t bits = pp_random(11, trial, (uint64_t)++ * draw);
    return least + (int)pp_below(bits, (uint64_t)(most - least + 1));
}

static struct ring any_ring(uint64_t trial)
{
    int draw = 0;
    struct ring ring = {.stages = any(trial, &draw, 1, MOST_STAGES),
                        .groups = any(trial, &draw, 1, MOST_GROUPS)};
    ring.microbatches = ring.groups * any(trial, &draw, 1, MOST_TURNS);
    ring.hop = any(trial, &draw, 0, 30);
    ring.back = any(trial, &draw, 8, 38);
    for (int s = 0; s < ring.stages; s++)
        ring.cost[s] = any(trial, &draw, 1, 20);
    if (ring.hop < ring.back - 8)
        ring.hop = ring.back - 8;
    return ring;
}

/* Makespan (T-1) P + (g-1) max c + sum c + the hops there. The slowest rank takes the
 * groups' turns P apart from the start, the others in the long run: so of P each works
 * g times its cost. */
static void check_general_form(const struct ring *ring, const struct replay *replay)
{
    int turns = ring->microbatches / ring->groups;
    int64_t period = period_of(ring);
    int64_t makespan = (turns - 1) * period + (ring->groups - 1) * slowest_of(ring) +
                       sum_of(ring) + (ring->stages - 1) * ring->hop;
    ck_assert_int_eq(replay->metrics.makespan, makespan);
    for (int r = 0; r < ring->stages; r++) {
        const struct pp_span *spans =
            &replay->timeline.spans[replay->schedule.first[r]];
        ck_assert_int_eq(replay->metrics.of_rank[r].busy,
                         ring->microbatches * ring->cost[r]);
        for (int t = 1; t < turns && ring->cost[r] == slowest_of(ring); t++)
            ck_assert_int_eq(spans[t * ring->groups].start,
                             spans[0].start + t * period);
    }
}

START_TEST(unequal_stages)
{
    for (uint64_t trial = 0; trial < 2000; trial++) {
        struct ring ring = any_ring(trial);
        struct walkers walkers = {.ring = &ring};
        struct replay replay;
        replay_ring(&replay, &ring);
        while (happen(&walkers))
            ;
        for (int r = 0; r < ring.stages; r++) {
            ck_assert_int_eq(walkers.due[r], ring.microbatches);
            for (int i = 0; i < ring.microbatches; i++) {
                size_t k = replay.schedule.first[r] + (size_t)i;
                ck_assert_msg(replay.timeline.spans[k].start == walkers.start[r][i],
                              "trial %d: F(%d, %d) starts at %ld, by events at %ld",
                              (int)trial, r, i, (long)replay.timeline.spans[k].start,
                              (long)walkers.start[r][i]);
            }
        }
        check_general_form(&ring, &replay);
        replay_release(&replay);
    }
}
END_TEST

/* A prompt's chunks follow each other without a way round: (N + p - 1) c and the hops.
 */
START_TEST(prompts)
{
    for (int p = 1; p <= 5; p++)
        for (int chunks = 1; chunks <= 6; chunks++) {
            struct pp_shape shape = {.ranks = p,
                                     .chunks = 1,
                                     .microbatches = 1,
                                     .groups = 1,
                                     .prompt_chunks = chunks,
                                     .prompt_rows = 8};
            struct replay replay;
            struct pp_error error = {0};
            ck_assert(replay_init(&replay, pp_catalogue_find("decode"), &shape));
            ck_assert_int_eq(pp_costs_classify(&replay.costs, &replay.schedule, &error),
                             0);
            for (int s = 0; s < p; s++) {
                pp_costs_of(&replay.costs, 0, s)[PP_F] = 70;
                pp_costs_of(&replay.costs, 1, s)[PP_F] = 10;
            }
            replay.costs.near.latency = 3;
            replay_run(&replay);
            int64_t filled = (chunks + p - 1) * 70 + (p - 1) * 3;
            int64_t back = p > 1 ? 3 : 0;
            const struct pp_span *first = &replay.timeline.spans[chunks];
            ck_assert_int_eq(first->ready, filled);
            ck_assert_int_eq(first->start, filled + back);
            ck_assert_int_eq(replay.metrics.makespan,
                             first->start + p * 10 + (p - 1) * 3);
            replay_release(&replay);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decode");
    TCase *tcase = tcase_create("decode");
    tcase_add_test(tcase, closed_form_is_exact);
    tcase_add_test(tcase, unequal_stages);
    tcase_add_test(tcase, prompts);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
