/* Interleaved 1F1B with the backward split in two, as torch.distributed.pipelining
 * writes it (ScheduleInterleavedZeroBubble in its schedules.py): half of the usual
 * warm-up, and every I from the rank-th on is followed by the oldest W not yet done.
 *
 *     p = 3, v = 2, m = N = 3 at tF = tI = tW; small letters: the second chunk
 *
 *     0  F0 F1 F2 f0 f1 f2  .  . i0 w0 i1 w1 i2 w2 I0 W0 I1 W1 I2 W2
 *     1   . F0 F1 F2 f0 f1  . i0 f2 i1 w0 i2 w1 I0 w2 I1 W0 I2 W1 W2
 *     2   .  . F0 F1 F2 f0 i0 f1 i1 f2 i2 w0 I0 w1 I1 w2 I2 W0 W1 W2
 *
 * It has ZB-H1's bubble over v, (p-1)(tF + tI - tW) / v, within 1F1B's memory of p
 * microbatches where N = p, for v times the messages. Stage of chunk k on rank r:
 * k p + r. Groups of N microbatches as in interleaved-1f1b, where N is chosen too. */
#include "schedules/rules.h"

static void generate(struct pp_schedule *schedule, int rank)
{
    long p = schedule->ranks, v = schedule->chunks, N = schedule->group_size;
    long total = v * schedule->microbatches, weights = 0;
    long warmup = (v - 1) * N + p - 1 - rank;
    if (warmup > total)
        warmup = total;
    for (long j = 0; j < warmup; j++)
        pp_push_turn(schedule, PP_F, rank, j);
    for (long j = 0; j < total; j++) {
        if (warmup + j < total)
            pp_push_turn(schedule, PP_F, rank, warmup + j);
        pp_push_turn(schedule, PP_I, rank, j);
        if (j >= rank)
            pp_push_turn(schedule, PP_W, rank, weights++);
    }
    while (weights < total)
        pp_push_turn(schedule, PP_W, rank, weights++);
}

static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, v = shape->chunks, m = shape->microbatches;
    if (shape->group_size > shape->microbatches ||
        !pp_group_fits(shape, shape->group_size)) {
        *why = "the form needs m >= p, in groups of p to m microbatches";
        return false;
    }
    if (costs->weight > costs->forward || costs->weight > costs->input) {
        *why = "the form needs tW to be no longer than tF and tI";
        return false;
    }
    if (costs->hop > 0) {
        *why = "no form with communication is known";
        return false;
    }
    double bubble = (p - 1) * (costs->forward + costs->input - costs->weight) / v;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * (costs->forward + costs->input + costs->weight) + bubble,
        .exact = true,
    };
    return true;
}

const struct pp_scheduler pp_interleaved_zb = {
    .name = "interleaved-zb",
    .summary = "interleaved 1F1B with the weight gradients put off into the bubble",
    .bubble = "(p-1)/(3v)",
    .memory = "p",
    .messages = "2(pv-1)",
    .source = "Zero Bubble Pipeline Parallelism (arXiv 2401.10241) §2.1, over v",
    .placement = PP_LOOP,
    .default_chunks = 2,
    .takes_chunks = true,
    .best_group_size = pp_best_group_size,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
