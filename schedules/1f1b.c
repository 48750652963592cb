/* 1F1B, also PipeDream-flush: after a warm-up of p-1-rank forwards, one forward and
 * one backward in turn, so that a rank never holds more than p-rank microbatches
 * (DAPPLE, Fan et al., arXiv 2007.01045, §3; Megatron-LM, Narayanan et al., arXiv
 * 2104.04473, §2.2.1).
 *
 *     p = 4, m = 6 at tF = tB
 *
 *     0  F0 F1 F2 F3  .  .  . B0 F4 B1 F5 B2  . B3  . B4  . B5
 *     1   . F0 F1 F2  .  . B0 F3 B1 F4 B2 F5 B3  . B4  . B5
 *     2   .  . F0 F1  . B0 F2 B1 F3 B2 F4 B3 F5 B4  . B5
 *     3   .  .  . F0 B0 F1 B1 F2 B2 F3 B3 F4 B4 F5 B5
 *
 * It has GPipe's bubble, (p-1)(tF + tB), with memory that does not grow with m: in
 * flight on rank r are min(p-r, m). The price is hops: in the steady state too, ranks
 * wait for each other's messages. Any m >= 1, also m < p; one stage per rank. */
#include "schedules/rules.h"

static int min(int a, int b)
{
    return a < b ? a : b;
}

static void generate(struct pp_schedule *schedule, int rank)
{
    int m = schedule->microbatches;
    int warmup = min(schedule->ranks - 1 - rank, m);
    for (int i = 0; i < warmup; i++)
        pp_push(schedule, PP_F, rank, i);
    for (int i = warmup; i < m; i++) {
        pp_push(schedule, PP_F, rank, i);
        pp_push(schedule, PP_B, rank, i - warmup);
    }
    for (int i = m - warmup; i < m; i++)
        pp_push(schedule, PP_B, rank, i);
}

/* Without hops: as GPipe. With hops the steady state pays too: once in p microbatches a
 * rank waits for the round trip to the last rank and back, p-1 hops each way, of which
 * the ramps hide one pair. Not in the papers: found by replay, exact for p | m, held
 * against the simulation by a test. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, m = shape->microbatches;
    if (costs->hop > 0 && shape->microbatches % shape->ranks != 0) {
        *why = "with communication the form needs m to be a multiple of p";
        return false;
    }
    double work = costs->forward + costs->backward;
    double hops = p > 1 ? 2 * ((p - 1) * m / p + p - 2) : 0;
    double bubble = (p - 1) * work + hops * costs->hop;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * work + bubble,
        .exact = true,
    };
    return true;
}

const struct pp_scheduler pp_1f1b = {
    .name = "1f1b",
    .aliases = {"pipedream-flush", "dapple"},
    .summary = "warm-up, then one forward and one backward in turn, then drain",
    .bubble = "p-1",
    .memory = "p",
    .messages = "2(p-1)",
    .source = "Megatron-LM (arXiv 2104.04473) §2.2.1",
    .placement = PP_LOOP,
    .default_chunks = 1,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
