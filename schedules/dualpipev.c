/* DualPipeV: DualPipe's order (DeepSeek-V3 technical report, arXiv 2412.19437, §3.2.1)
 * (dualpipe.c) cut in half: one copy of the weights, two stages per rank on a V instead
 * of two directions. In the steady state every forward runs joined with a backward, so
 * that each can hide the other's communication.
 *
 *     p = 2, m = 4 at tF = tI = tW; small letters: the stages on the way back. From
 *     column 7 on, F and B that follow each other overlap.
 *
 *     0  F0 F1 F2 f0 i0 w0 f1 F3 b1  =  . f2 B0  = b2  =  . f3 B1  = b3  = I2 W2 I3 W3
 *     1   . F0 f0 F1 f1 F2 b0  = f2 B0  = F3 b1  = f3 B1  = b2  = B2  =  . i3 I3 w3 W3
 *
 * It buys overlap like DualPipe and holds the weights once, for twice the messages and
 * a somewhat larger bubble. Rank r holds the stages r and 2p-1-r; chunk
 * 0 goes down the V, chunk 1 back up. m >= 2p. In-flight: at most 2p+1 chunks. */
#include "schedules/rules.h"

static void generate(struct pp_schedule *schedule, int rank)
{
    int p = schedule->ranks;
    pp_push_dual(schedule, &(struct pp_dual){
                               .stage = {rank, 2 * p - 1 - rank},
                               .before = rank,
                               .behind = p - 1 - rank,
                               .steady = schedule->microbatches - 2 * p + rank + 1,
                           });
}

static const char *needs(const struct pp_shape *shape, enum pp_size *fault)
{
    *fault = PP_SIZE_MICROBATCHES;
    return shape->microbatches < 2 * shape->ranks ? "at least twice as many as ranks"
                                                  : NULL;
}

/* DualPipe's on twice as many ranks, in chunks of half a rank's work. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    return pp_dual_form(shape, costs, (shape->ranks - 1) / 2.0, theory, why);
}

const struct pp_scheduler pp_dualpipev = {
    .name = "dualpipev",
    .summary = "forwards overlapped with backwards, two stages per rank on a V",
    .bubble = "(p-1)/3",
    .memory = "p+1/2",
    .messages = "4(p-1)",
    .constraint = "m >= 2p",
    .source = "DualPipe's (arXiv 2412.19437, table 2) with 2p for p and chunks",
    .placement = PP_V,
    .default_chunks = 2,
    .needs = needs,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
