/* GPipe: all forwards, then all backwards (Huang et al., arXiv 1811.06965, §2.3).
 *
 *     p = 4, m = 4 at tF = tB
 *
 *     0  F0 F1 F2 F3  .  .  .  .  .  . B0 B1 B2 B3
 *     1   . F0 F1 F2 F3  .  .  .  . B0 B1 B2 B3
 *     2   .  . F0 F1 F2 F3  .  . B0 B1 B2 B3
 *     3   .  .  . F0 F1 F2 F3 B0 B1 B2 B3
 *
 * The simplest order that fills the ranks, paid for in memory: all m microbatches are
 * in flight. Its bubble (p-1)(tF + tB) is the same as 1F1B's at equal costs, which
 * saves the memory alone. Any m, one stage per rank. */
#include "schedules/rules.h"

static void generate(struct pp_schedule *schedule, int rank)
{
    for (int i = 0; i < schedule->microbatches; i++)
        pp_push(schedule, PP_F, rank, i);
    for (int i = 0; i < schedule->microbatches; i++)
        pp_push(schedule, PP_B, rank, i);
}

/* The last rank starts after p-1 forwards and hops and works without pause; its last
 * backward takes p-1 more backwards and hops to reach rank 0. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    (void)why;
    double p = shape->ranks, m = shape->microbatches;
    double work = costs->forward + costs->backward;
    double bubble = (p - 1) * work + 2 * (p - 1) * costs->hop;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * work + bubble,
        .exact = true,
    };
    return true;
}

const struct pp_scheduler pp_gpipe = {
    .name = "gpipe",
    .summary = "all forwards, then all backwards",
    .bubble = "p-1",
    .memory = "m",
    .messages = "2(p-1)",
    .source = "GPipe (arXiv 1811.06965) §2.3",
    .placement = PP_LOOP,
    .default_chunks = 1,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
