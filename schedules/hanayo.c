/* Hanayo: waves. Each rank holds 2w stages on a zigzag, down the ranks and back up w
 * times, along which the microbatches run (Liu et al., arXiv 2308.15762, §3).
 *
 *     p = 2, m = 2, one wave, at tF = tB; small letters: the stages on the way back
 *
 *     0  F0 F1  . f0 b0 f1 b1 B0  . B1
 *     1   . F0 f0 F1 f1 b0 B0 b1 B1
 *
 * These are the rows of half of Chimera's ranks (chimera.c): where Chimera holds two
 * copies of the weights on 2p ranks, a wave turns back and needs one copy. A unit of p
 * microbatches leaves a bubble of 2(p-1) slots of a stage's op, (p-1)/w of a rank's: w
 * divides the bubble, and multiplies the messages. In flight are at most p
 * microbatches. Units follow each other as Chimera's do, so that where backwards take
 * longer than forwards the bubble grows with m. Any m; S = 2wp stages.
 *
 * The paper gives its order by examples, not by a rule: the slots here are Chimera's on
 * the paper's placement, and the form below is what the simulation gives. */
#include "schedules/rules.h"

static void generate(struct pp_schedule *schedule, int rank)
{
    pp_push_units(schedule, rank, schedule->ranks);
}

static const char *needs(const struct pp_shape *shape, enum pp_size *fault)
{
    *fault = PP_SIZE_CHUNKS;
    return shape->chunks % 2 != 0 ? "an even number, two for each wave" : NULL;
}

static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double waves = shape->chunks / 2.0;
    return pp_units_form(shape, costs, (shape->ranks - 1) / waves, theory, why);
}

const struct pp_scheduler pp_hanayo = {
    .name = "hanayo",
    .aliases = {"waves"},
    .summary = "waves down the ranks and back up: two stages per rank and wave",
    .bubble = "2(p-1)(m/p+1)/(3v)",
    .memory = "p",
    .messages = "2v(p-1)",
    .constraint = "v even",
    .source = "found by replay; Hanayo (arXiv 2308.15762) §3 has examples",
    .placement = PP_V,
    .default_chunks = 2,
    .takes_chunks = true,
    .needs = needs,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
