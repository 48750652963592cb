/* The critical path of every schedule, over many shapes and uneven costs. */
#include "../unit/replay.h"
#include "../unit/unit.h"
#include "base/random.h"
#include "timeline/gap.h"

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

/* How much of the gap the rank's ops from first to last take. */
static int64_t overlap(const struct replay *replay, const struct pp_gap *gap,
                       int64_t first, int64_t last)
{
    const struct pp_span *spans = replay->timeline.spans;
    int64_t sum = 0;
    for (int64_t k = first; k <= last; k++) {
        int64_t from = pp_clamp(spans[k].start, gap->from, spans[gap->op].start);
        sum += pp_clamp(spans[k].end, gap->from, spans[gap->op].start) - from;
    }
    return sum;
}

/* The parts named are the fewest that account for the share of the gap; ops ran as long
 * as is said. */
static void check_reason(const struct replay *replay, struct pp_reasons *reasons,
                         const struct pp_gap *gap)
{
    struct pp_part parts[PP_REASON_PARTS];
    int64_t length = replay->timeline.spans[gap->op].start - gap->from, sum = 0;
    int count = pp_gap_reason(reasons, gap, parts);
    ck_assert_int_ge(count, 1);
    ck_assert_int_le(count, PP_REASON_PARTS);
    for (int i = 0; i < count; i++) {
        const struct pp_part *part = &parts[i];
        ck_assert((double)sum < PP_REASON_SHARE * (double)length);
        ck_assert(i == 0 || part->ns <= parts[i - 1].ns);
        sum += part->ns;
        if (part->kind == PP_RAN && part->ranks == 1) {
            int64_t ran = overlap(replay, gap, part->first, part->last);
            ck_assert(part->count == 1 ? part->ns == ran : part->ns <= ran);
            ck_assert_int_eq(pp_rank_of_op(&replay->schedule, part->first), part->rank);
        }
    }
    ck_assert((double)sum >= PP_REASON_SHARE * (double)length);
    ck_assert_int_le(sum, length);
}

static void check_gaps(const struct replay *replay)
{
    enum { MOST = 100 };
    struct pp_error error = {0};
    struct pp_producers producers;
    struct pp_reasons reasons;
    struct pp_gap gaps[MOST];
    struct pp_path path = {&replay->timeline, &replay->metrics, &producers};
    ck_assert_int_eq(pp_producers_init(&producers, &replay->schedule, &error), 0);
    ck_assert_int_eq(pp_reasons_init(&reasons, &path, &error), 0);
    for (int r = 0; r < replay->schedule.ranks; r++) {
        int count = pp_longest_gaps(&path, r, MOST, gaps);
        for (int i = 0; i < count; i++)
            check_reason(replay, &reasons, &gaps[i]);
    }
    pp_reasons_release(&reasons);
    pp_producers_release(&producers);
}

START_TEST(the_critical_path_is_whole)
{
    for (uint64_t trial = 0; trial < 200; trial++) {
        struct pp_shape shape = {.ranks = 1 + (int)pp_below(pp_random(1, trial, 0), 9),
                                 .chunks = 1 + (int)pp_below(pp_random(1, trial, 1), 3),
                                 .microbatches =
                                     1 + (int)pp_below(pp_random(1, trial, 2), 16)};
        struct replay replay;
        if (!replay_init(&replay, pp_catalogue_row(_i), &shape))
            continue;
        pp_costs_fill(&replay.costs, 1000, 1000 + (int64_t)(trial % 3) * 1000, 1000);
        replay.costs.near.latency = (int64_t)(trial % 4) * 500;
        replay.costs.near.sender = trial % 7 == 0 ? 300 : 0;
        for (int s = 0; s < replay.costs.stages; s++)
            replay.costs.op[s][PP_F] +=
                (int64_t)pp_below(pp_random(2, trial, (uint64_t)s), 3000);
        replay.costs.near.receiver = trial % 5 == 0 ? 100 : 0;
        replay.costs.jitter = trial % 2 == 0 ? 0 : 0.2;
        replay.costs.seed = trial;
        replay_run(&replay);
        check_path(&replay);
        check_gaps(&replay);
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
