/* The critical path of every schedule, over many shapes and uneven costs. */
#include "../unit/replay.h"
#include "../unit/unit.h"
#include "base/random.h"
#include "timeline/critical.h"

/* Was the message that the op waited for released by the op before it on the path? */
static bool is_released_by(const struct pp_schedule *schedule,
                           const struct pp_producers *producers, int64_t op,
                           int64_t before)
{
    for (int64_t k = op; k <= pp_release_of(schedule, op); k++) {
        int64_t producer = pp_producer_of(producers, k);
        if (producer != PP_NO_OP && pp_release_of(schedule, producer) == before)
            return true;
    }
    return false;
}

/* The path leads from the step's start to its end without a break, and its parts add up
 * to the makespan. */
static void check_path(const struct replay *replay)
{
    struct pp_error error = {0};
    struct pp_producers producers;
    struct pp_critical critical;
    const struct pp_schedule *schedule = &replay->schedule;
    const struct pp_span *spans = replay->timeline.spans;
    ck_assert_int_eq(pp_producers_init(&producers, schedule, &error), 0);
    ck_assert_int_eq(pp_critical_init(&critical, &replay->timeline, &replay->metrics,
                                      &producers, &error),
                     0);
    int64_t at = replay->metrics.start, busy = 0, ranks = 0;
    for (size_t i = 0; i < critical.count; i++) {
        const struct pp_path_op *step = &critical.path[i];
        ck_assert_int_eq(at + step->hop + step->overhead, spans[step->op].start);
        if (step->crossed)
            ck_assert(is_released_by(schedule, &producers, step->op,
                                     critical.path[i - 1].op));
        at = spans[step->op].end;
    }
    ck_assert_int_eq(at, replay->metrics.end);
    for (int kind = 0; kind < PP_KINDS; kind++)
        busy += critical.busy[kind];
    for (int r = 0; r < schedule->ranks; r++)
        ranks += critical.of_rank[r];
    ck_assert_int_eq(busy, ranks);
    ck_assert_int_eq(busy + critical.hops + critical.overhead,
                     replay->metrics.makespan);
    pp_critical_release(&critical);
    pp_producers_release(&producers);
}

START_TEST(the_critical_path_is_whole)
{
    for (uint64_t trial = 0; trial < 200; trial++) {
        struct pp_shape shape = {.ranks = 1 + (int)pp_below(pp_random(1, trial, 0), 6),
                                 .chunks = 1 + (int)pp_below(pp_random(1, trial, 1), 3),
                                 .microbatches =
                                     1 + (int)pp_below(pp_random(1, trial, 2), 16)};
        struct replay replay;
        if (!replay_init(&replay, pp_catalogue_row(_i), &shape))
            continue;
        pp_costs_fill(&replay.costs, 1000, 1000 + (int64_t)(trial % 3) * 1000, 1000);
        replay.costs.near.latency = (int64_t)(trial % 4) * 500;
        replay.costs.near.receiver = trial % 5 == 0 ? 100 : 0;
        replay.costs.jitter = trial % 2 == 0 ? 0 : 0.2;
        replay.costs.seed = trial;
        replay_run(&replay);
        check_path(&replay);
        replay_release(&replay);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("critical path");
    TCase *tests = tcase_create("critical path");
    tcase_add_loop_test(tests, the_critical_path_is_whole, 0, pp_catalogue_count());
    suite_add_tcase(suite, tests);
    return unit_run(suite);
}
