/* Looped breadth-first: all microbatches through a chunk before the next chunk, first
 * all forwards, then all backwards (Lamy-Poirier, Breadth-First Pipeline Parallelism,
 * arXiv 2211.05953, §4.1).
 *
 *     p = 2, v = 2, m = 3 at tF = tB; small letters: the second chunk
 *
 *     0  F0 F1 F2 f0 f1 f2  .  . b0 b1 b2 B0 B1 B2
 *     1   . F0 F1 F2 f0 f1 f2 b0 b1 b2 B0 B1 B2
 *
 * It has the bubble of interleaved 1F1B with GPipe's memory, all m microbatches; what
 * it buys is that a chunk's ops stand together: with enough microbatches hops cost
 * nothing beyond the ramps, and a chunk's gradients are complete early. Stage of chunk
 * k on rank r: k p + r. Any m. Backwards take microbatches in ascending order like all
 * others here; the makespan is the same. */
#include "schedules/rules.h"

static void generate(struct pp_schedule *schedule, int rank)
{
    int p = schedule->ranks, v = schedule->chunks, m = schedule->microbatches;
    for (int k = 0; k < v; k++)
        for (int i = 0; i < m; i++)
            pp_push(schedule, PP_F, k * p + rank, i);
    for (int k = v - 1; k >= 0; k--)
        for (int i = 0; i < m; i++)
            pp_push(schedule, PP_B, k * p + rank, i);
}

static double max(double a, double b)
{
    return a > b ? a : b;
}

/* A lap, the time from chunk to chunk, is what a rank needs for all microbatches, or
 * the way of one microbatch around all ranks, if that is longer (m < p, or long hops).
 * Then the last chunk runs, and its last microbatch passes through the other ranks.
 * Without hops and for m >= p the paper's (p-1)(tF + tB) / v. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, v = shape->chunks, m = shape->microbatches;
    (void)why;
    double f = costs->forward / v, b = costs->backward / v;
    double hop = p > 1 ? costs->hop : 0;
    double laps = (v - 1) * (max(m * f, p * (f + hop)) + max(m * b, p * (b + hop)));
    double makespan = laps + m * (f + b) + (p - 1) * (f + b + 2 * hop);
    *theory = (struct pp_theory){
        .bubble = makespan - m * (costs->forward + costs->backward),
        .makespan = makespan,
        .exact = true,
    };
    return true;
}

const struct pp_scheduler pp_bfs = {
    .name = "bfs",
    .aliases = {"looped-bfs", "breadth-first"},
    .summary = "GPipe over v stages per rank, chunk by chunk",
    .bubble = "(p-1)/v",
    .memory = "m",
    .messages = "2(pv-1)",
    .source = "Breadth-First Pipeline Parallelism (arXiv 2211.05953) §4.1",
    .placement = PP_LOOP,
    .default_chunks = 2,
    .takes_chunks = true,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
