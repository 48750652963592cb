/* ZB-H1 and ZB-H2: 1F1B with the backward split in two, so that the weight halves,
 * which nobody waits for, fill the bubble (Qi et al., Zero Bubble Pipeline
 * Parallelism, arXiv 2401.10241, §2).
 *
 *     p = 3, m = 6 at tF = tI = tW: H1, and below it H2
 *
 *     0  F0 F1 F2  .  . I0 W0 F3 I1 W1 F4 I2 W2 F5 I3 W3 I4 W4 I5 W5
 *     1   . F0 F1  . I0 F2 I1 W0 F3 I2 W1 F4 I3 W2 F5 I4 W3 I5 W4 W5
 *     2   .  . F0 I0 F1 I1 F2 I2 W0 F3 I3 W1 F4 I4 W2 F5 I5 W3 W4 W5
 *
 *     0  F0 F1 F2 F3 F4 I0 W0 F5 I1 W1 I2 W2 I3 W3 I4 W4 I5 W5
 *     1   . F0 F1 F2 I0 F3 I1 F4 I2 W0 F5 I3 W1 I4 W2 I5 W3 W4 W5
 *     2   .  . F0 I0 F1 I1 F2 I2 F3 I3 F4 I4 W0 F5 I5 W1 W2 W3 W4 W5
 *
 * H1 (k = 1) holds on every rank what 1F1B's first one does, p microbatches, for a
 * third of its bubble at tF = tI = tW; H2 (k = 2) warms up twice as deep and holds
 * 2p-1, for ranks that never pause once m >= 2p. One stage per rank, any m; the forms
 * need m >= 2p. */
#include "schedules/rules.h"

static int min(int a, int b)
{
    return a < b ? a : b;
}

/* Warm-up forwards; then a forward while there are any, an I, and the oldest W not yet
 * done, once as many microbatches as rank 0 warms up with have passed; then the rest
 * of the W. */
static void generate(struct pp_schedule *schedule, int rank, int k)
{
    int p = schedule->ranks, m = schedule->microbatches;
    int warmup = min(k * (p - 1 - rank), m);
    int forwards = 0, weights = 0;
    while (forwards < warmup)
        pp_push(schedule, PP_F, rank, forwards++);
    for (int i = 0; i < m; i++) {
        if (forwards < m)
            pp_push(schedule, PP_F, rank, forwards++);
        pp_push(schedule, PP_I, rank, i);
        if (k * (p - 1 - rank) + i >= k * (p - 1))
            pp_push(schedule, PP_W, rank, weights++);
    }
    while (weights < m)
        pp_push(schedule, PP_W, rank, weights++);
}

static void generate_h1(struct pp_schedule *schedule, int rank)
{
    generate(schedule, rank, 1);
}

static void generate_h2(struct pp_schedule *schedule, int rank)
{
    generate(schedule, rank, 2);
}

/* Where the forms hold: found by replay, held against the simulation by a test. */
static bool fits(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                 double slack, const char **why)
{
    if (shape->microbatches < 2 * shape->ranks)
        *why = "the form needs m >= 2p";
    else if (costs->weight > costs->forward || costs->weight > costs->input)
        *why = "the form needs tW to be no longer than tF and tI";
    else if (2 * costs->hop > slack)
        *why = "with communication the form needs shorter hops: 2c <= tW for zb-h1, "
               "2c <= tF + tI for zb-h2";
    else
        return true;
    return false;
}

static bool theory_h1(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                      struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, m = shape->microbatches;
    if (!fits(shape, costs, costs->weight, why))
        return false;
    double work = costs->forward + costs->input - costs->weight;
    double bubble = (p - 1) * work + 4 * (p - 1) * costs->hop;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * (costs->forward + costs->input + costs->weight) + bubble,
        .exact = true,
    };
    return true;
}

static bool theory_h2(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                      struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, m = shape->microbatches;
    if (!fits(shape, costs, costs->forward + costs->input, why))
        return false;
    double work = costs->forward + costs->input - 2 * costs->weight;
    double bubble = (p - 1) * work + 2 * (p - 1) * costs->hop;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * (costs->forward + costs->input + costs->weight) + bubble,
        .exact = true,
        .by_span = true,
    };
    return true;
}

const struct pp_scheduler pp_zb_h1 = {
    .name = "zb-h1",
    .aliases = {"zb1p"}, /* the DualPipe paper's table 2 calls it so */
    .summary = "1F1B with the weight gradients put off into the bubble",
    .bubble = "(p-1)/3",
    .memory = "p",
    .messages = "2(p-1)",
    .source = "Zero Bubble Pipeline Parallelism (arXiv 2401.10241) §2.1, table 2",
    .placement = PP_LOOP,
    .default_chunks = 1,
    .generate = generate_h1,
    .theory = theory_h1,
    .checked = true,
};

const struct pp_scheduler pp_zb_h2 = {
    .name = "zb-h2",
    .summary = "zb-h1 with twice the warm-up: almost no bubble, twice the memory",
    .bubble = "0",
    .memory = "2p-1",
    .messages = "2(p-1)",
    .source = "Zero Bubble Pipeline Parallelism (arXiv 2401.10241) §2.2, table 2",
    .placement = PP_LOOP,
    .default_chunks = 1,
    .generate = generate_h2,
    .theory = theory_h2,
    .checked = true,
};
