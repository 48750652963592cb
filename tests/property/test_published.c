/* The bubble rates of Zero Bubble Pipeline Parallelism (arXiv 2401.10241), tables 5 and
 * 9, from the times that they give. */
#include "../unit/replay.h"
#include "../unit/unit.h"

#include "schedule/walk.h"

static const struct {
    int p, m, v;
    int64_t forward, input, weight, hop; /* ns, of a whole rank */
    double f1b, interleaved, h1, h2;     /* as printed */
} rows[] = {
    {8, 24, 3, 18522000, 18086000, 9337000, 601000, .2431, .1055, .1585, .1083},
    {8, 32, 4, 29802000, 29428000, 19530000, 577000, .1898, .0628, .1045, .0559},
    {8, 64, 4, 29935000, 29621000, 19388000, 535000, .1091, .0320, .0554, .0294},
    {16, 64, 3, 11307000, 11254000, 8101000, 379000, .2082, .0852, .1088, .0516},
    {32, 96, 2, 10419000, 10207000, 7715000, 408000, .2646, .1493, .1421, .0641},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static void set_up(struct replay *replay, const char *name, int row, int chunks)
{
    struct pp_shape shape = {rows[row].p, chunks, rows[row].m, 0};
    ck_assert(replay_init(replay, pp_catalogue_find(name), &shape));
    pp_costs_fill(&replay->costs, rows[row].forward / chunks, rows[row].input / chunks,
                  rows[row].weight / chunks);
    replay->costs.near.latency = rows[row].hop;
}

static void expect_rate(double rate, double printed, const char *name, int row)
{
    ck_assert_msg(rate > printed - .5e-4 && rate < printed + .5e-4,
                  "%s, row %d: %.5f, printed %.4f", name, row, rate, printed);
}

static double simulated_rate(const char *name, int row, int chunks)
{
    struct replay replay;
    set_up(&replay, name, row, chunks);
    replay_run(&replay);
    double rate = replay.metrics.bubble.span_fraction;
    replay_release(&replay);
    return rate;
}

START_TEST(rates_are_as_printed)
{
    expect_rate(simulated_rate("1f1b", _i, 1), rows[_i].f1b, "1F1B", _i);
    expect_rate(simulated_rate("zb-h1", _i, 1), rows[_i].h1, "ZB-H1", _i);
    expect_rate(simulated_rate("zb-h2", _i, 1), rows[_i].h2, "ZB-H2", _i);
}
END_TEST

/* A replay that leaves out what the paper's own script does: of the edges between the
 * last rank and the first, where a microbatch goes from one chunk to the next, only
 * those of the first microbatch of each group are there. */
struct paper {
    struct replay *replay;
    struct pp_walk walk;
    int64_t free[32];
};

static int64_t visit(void *data, const struct pp_walk_visit *at)
{
    struct paper *paper = data;
    const struct pp_schedule *schedule = &paper->replay->schedule;
    const struct pp_op *op = at->op;
    struct pp_op producer;
    struct pp_span *span = &paper->replay->timeline.spans[at->index];
    int rank = at->rank;
    int64_t start = paper->free[rank];
    ck_assert_int_eq(at->count, 1);
    int last = schedule->ranks - 1;
    bool wraps = op->kind == PP_F ? rank == 0 : rank == last;
    if (pp_producer(schedule, *op, &producer) &&
        !(wraps && (int)op->microbatch % schedule->group_size != 0)) {
        int64_t arrived = at->input[0] - 1 + paper->replay->costs.near.latency;
        if (arrived > start)
            start = arrived;
    }
    span->start = start;
    span->end = start + paper->replay->costs.op[op->stage][op->kind];
    paper->free[rank] = span->end;
    return span->end + 1;
}

START_TEST(interleaved_rate_is_as_printed_without_an_edge)
{
    struct replay replay;
    struct pp_error error = {0};
    set_up(&replay, "interleaved-1f1b", _i, rows[_i].v);
    struct paper paper = {.replay = &replay};
    ck_assert_int_eq(pp_walk_init(&paper.walk, &replay.schedule, &error), 0);
    ck_assert_uint_eq(pp_walk(&paper.walk, visit, &paper),
                      pp_schedule_ops(&replay.schedule));
    pp_walk_release(&paper.walk);
    ck_assert_int_eq(pp_metrics_init(&replay.metrics, &replay.timeline, &error), 0);
    expect_rate(replay.metrics.bubble.span_fraction, rows[_i].interleaved, "1F1B-I",
                _i);
    replay_release(&replay);
}
END_TEST

/* With all dependencies 2(pv-1) hops are paid, p more than the paper's script has. */
START_TEST(interleaved_rate_with_all_edges)
{
    double p = rows[_i].p, v = rows[_i].v, m = rows[_i].m;
    double work = (double)(rows[_i].forward + rows[_i].input + rows[_i].weight);
    double bubble = (p - 1) * work / v + 2 * (p * v - 1) * (double)rows[_i].hop;
    double rate = simulated_rate("interleaved-1f1b", _i, rows[_i].v);
    expect_rate(rate, bubble / (m * work + bubble), "1F1B-I", _i);
    if (_i == 0)
        expect_rate(rate, .1090, "1F1B-I", _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("published");
    TCase *tcase = tcase_create("published");
    tcase_add_loop_test(tcase, rates_are_as_printed, 0, ROWS);
    tcase_add_loop_test(tcase, interleaved_rate_is_as_printed_without_an_edge, 0, ROWS);
    tcase_add_loop_test(tcase, interleaved_rate_with_all_edges, 0, ROWS);
    suite_add_tcase(suite, tcase);
    return unit_run(suite);
}
