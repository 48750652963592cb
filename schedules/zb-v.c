/* ZB-V: two stages per rank on a V, so that the rank which has the first stage has the
 * last one too and can begin its backwards at once (Qi et al., Zero Bubble Pipeline
 * Parallelism, arXiv 2401.10241, §6). Rank r holds the stages r and 2p-1-r.
 *
 *     p = 2, m = 4 at tF = tI = tW; small letters: the stages on the way back
 *
 *     0  F0 F1 F2 f0 i0 w0 f1 i1 w1 F3 I0 W0 f2 i2 w2 I1 W1 f3 i3 w3 I2 W2 I3 W3
 *     1   . F0 f0 F1 f1 i0 w0 F2 I0 W0 f2 i1 w1 F3 I1 W1 f3 i2 w2 I2 i3 I3 W2 w3 W3
 *
 * No rank pauses at tF = tI = tW, with 1F1B's memory, p microbatches, on every rank;
 * the price is twice the messages, and ranks that wait where the three differ. Any m:
 * below 2p-1 it is the schedule for 2p-1 microbatches without the ops on those that do
 * not exist. */
#include "schedules/rules.h"

/* How many of each op, by chunk (0 on the way down, 1 on the way back), have been
 * written, those that do not exist counted too. */
struct progress {
    struct pp_schedule *schedule;
    int rank;
    int done[PP_KINDS][2];
};

static void next(struct progress *progress, enum pp_kind kind, int chunk)
{
    struct pp_schedule *schedule = progress->schedule;
    int microbatch = progress->done[kind][chunk]++;
    int stage = chunk == 0 ? progress->rank : 2 * schedule->ranks - 1 - progress->rank;
    if (microbatch < schedule->microbatches)
        pp_push(schedule, kind, stage, microbatch);
}

/* F or not, then I and W of one chunk. */
static void next_three(struct progress *progress, int chunk, bool forward)
{
    if (forward)
        next(progress, PP_F, chunk);
    next(progress, PP_I, chunk);
    next(progress, PP_W, chunk);
}

static void generate(struct pp_schedule *schedule, int rank)
{
    struct progress at = {.schedule = schedule, .rank = rank};
    int p = schedule->ranks, m = schedule->microbatches;
    int n = m > 2 * p - 1 ? m : 2 * p - 1;

    for (int i = 0; i < 2 * (p - rank) - 1; i++)
        next(&at, PP_F, 0);
    for (int i = 0; i < rank; i++) {
        next(&at, PP_F, 1);
        next(&at, PP_F, 0);
    }
    for (int i = 0; i < p - rank; i++)
        next_three(&at, 1, true);
    while (at.done[PP_F][1] < at.done[PP_F][0] || at.done[PP_F][0] < n) {
        next_three(&at, 0, at.done[PP_F][0] < n);
        next_three(&at, 1, true);
    }
    for (int i = 0; i < rank; i++) {
        next(&at, PP_I, 0);
        next(&at, PP_I, 1);
    }
    for (int i = 0; i < p - rank; i++)
        next_three(&at, 0, false);
    while (at.done[PP_W][1] < n)
        next(&at, PP_W, 1);
    while (at.done[PP_W][0] < n)
        next(&at, PP_W, 0);
}

static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, v = shape->chunks, m = shape->microbatches;
    if (costs->forward != costs->input || costs->input != costs->weight) {
        *why = "the form needs tF = tI = tW";
        return false;
    }
    if (shape->microbatches < 2 * shape->ranks) {
        *why = "the form needs m >= 2p";
        return false;
    }
    if (2 * v * costs->hop > costs->forward) {
        *why = "with communication the form needs hops no longer than half an op";
        return false;
    }
    double bubble = p > 1 ? (6 * p - 8) * costs->hop : 0;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * (costs->forward + costs->input + costs->weight) + bubble,
        .exact = true,
        .by_span = true,
    };
    return true;
}

const struct pp_scheduler pp_zb_v = {
    .name = "zb-v",
    .aliases = {"zbv"},
    .summary = "zero bubble at 1F1B's memory: two stages per rank on a V",
    .bubble = "0",
    .memory = "p",
    .messages = "4(p-1)",
    .source = "Zero Bubble Pipeline Parallelism (arXiv 2401.10241) §6",
    .placement = PP_V,
    .default_chunks = 2,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
