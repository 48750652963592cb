/* Sequential: one microbatch through all stages and back, then the next. Only one
 * rank works at a time; the yardstick that the other schedules are held against.
 *
 *     p = 3, m = 2 at tF = tB
 *
 *     0  F0  .  .  .  . B0 F1  .  .  .  . B1
 *     1   . F0  .  . B0  .  . F1  .  . B1
 *     2   .  . F0 B0  .  .  .  . F1 B1
 *
 * Nothing is in flight but one microbatch, and nothing runs side by side: the bubble is
 * 1 - 1/p of the total. Any p, v, m. */
#include "schedules/rules.h"

static void generate(struct pp_schedule *schedule, int rank)
{
    int p = schedule->ranks;
    for (int i = 0; i < schedule->microbatches; i++) {
        for (int k = 0; k < schedule->chunks; k++)
            pp_push(schedule, PP_F, k * p + rank, i);
        for (int k = schedule->chunks - 1; k >= 0; k--)
            pp_push(schedule, PP_B, k * p + rank, i);
    }
}

/* Every microbatch passes through all S = p v stages forwards and back, alone: m
 * times p whole ranks' work, of which each rank does its own. Every stage boundary is
 * a hop each way unless one rank holds both sides. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    (void)why;
    double p = shape->ranks, v = shape->chunks, m = shape->microbatches;
    double hops = p > 1 ? 2 * (p * v - 1) : 0;
    double work = costs->forward + costs->backward;
    *theory = (struct pp_theory){
        .bubble = m * ((p - 1) * work + hops * costs->hop),
        .makespan = m * (p * work + hops * costs->hop),
        .exact = true,
    };
    return true;
}

const struct pp_scheduler pp_sequential = {
    .name = "sequential",
    .aliases = {"naive"},
    .summary = "one microbatch at a time through all stages and back",
    .bubble = "m(p-1)",
    .memory = "1",
    .messages = "2(pv-1)",
    .source = "naive model parallelism, GPipe (arXiv 1811.06965) §2.3",
    .placement = PP_LOOP,
    .default_chunks = 1,
    .takes_chunks = true,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
