#include "replay.h"

bool replay_init(struct replay *replay, const struct pp_scheduler *row,
                 struct pp_shape *shape)
{
    struct pp_error error = {0};
    *replay = (struct replay){0};
    ck_assert_ptr_nonnull(row);
    if (pp_schedule_build(&replay->schedule, row, shape, &error) != 0) {
        ck_assert_msg(error.status == PP_BAD_INPUT && error.lines > 0, "%s",
                      error.text);
        return false;
    }
    ck_assert_int_eq(pp_costs_init(&replay->costs, replay->schedule.stages, &error), 0);
    ck_assert_int_eq(pp_timeline_init(&replay->timeline, &replay->schedule, &error), 0);
    return true;
}

void replay_run(struct replay *replay)
{
    struct pp_error error = {0};
    ck_assert_msg(pp_simulate(&replay->schedule, &replay->costs, 0, &replay->timeline,
                              &error) == 0,
                  "%s", error.text);
    pp_metrics_release(&replay->metrics);
    ck_assert_int_eq(pp_metrics_init(&replay->metrics, &replay->timeline, &error), 0);
}

void replay_release(struct replay *replay)
{
    pp_metrics_release(&replay->metrics);
    pp_timeline_release(&replay->timeline);
    pp_costs_release(&replay->costs);
    pp_schedule_release(&replay->schedule);
}

int64_t replay_bubble(const struct replay *replay, bool by_span)
{
    int64_t longest = 0, busiest = 0;
    for (int r = 0; r < replay->metrics.ranks; r++) {
        const struct pp_rank_metrics *rank = &replay->metrics.of_rank[r];
        int64_t span = rank->last_end - rank->first_start;
        if (span > longest)
            longest = span;
        if (rank->busy > busiest)
            busiest = rank->busy;
    }
    return (by_span ? longest : replay->metrics.makespan) - busiest;
}
