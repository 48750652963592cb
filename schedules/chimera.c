/* Chimera: two copies of the weights on the same ranks, one pipeline down the ranks and
 * one up, so that each fills the other's bubbles (Li & Hoefler, arXiv 2107.06925, §3).
 *
 *     p = 4, m = 4 at tF = tB; small letters: the pipeline that goes up
 *
 *     0  F0 F1  . f2 b2 f3 b3 B0  . B1
 *     1   . F0 f2 F1 f3 b2 B0 b3 B1
 *     2   . f2 F0 f3 F1 B0 b2 B1 b3
 *     3  f2 f3  . F0 B0 F1 B1 b2  . b3
 *
 * A unit of p microbatches, half of them in each pipeline, leaves a bubble of p-2
 * slots, about half of 1F1B's, for twice the weights; in flight are p/2+1 microbatches
 * on the outer ranks to p on the inner ones. More microbatches follow unit by unit,
 * each 2p slots after the one before, so that its forwards fill the gaps between that
 * one's last backwards (the paper's direct concatenation): the bubble stays p-2 slots
 * at tF = tB, and grows with the units where backwards take longer. p even; any m >= 2,
 * the last unit may be cut short. */
#include "schedules/rules.h"

/* In slots of one op each, at tF = tB, counted from the unit's beginning: F of the i-th
 * microbatch of each copy runs on stage s in slot s + 2i, its B in slot 2S-1-s + 2i. A
 * rank's stages never meet in a slot: one of two mirrored stages takes the even slots,
 * the other the odd ones, and what a microbatch's way back needs begins where the
 * units' forwards end. */
static void push_slot(struct pp_schedule *schedule, int place, int unit, int first,
                      int slot)
{
    int S = schedule->stages, stage = place % S, copy = place / S;
    int copies = schedule->copies, m = schedule->microbatches;
    int begins = copy == 0 ? 0 : (m + 1) / 2;
    int ends = copy == copies - 1 ? m : (m + 1) / 2;
    const int from[] = {[PP_F] = slot - stage, [PP_B] = slot - (2 * S - 1 - stage)};
    for (enum pp_kind kind = PP_F; kind <= PP_B; kind++) {
        int i = from[kind] / 2, microbatch = begins + first + i;
        if (from[kind] >= 0 && from[kind] % 2 == 0 && i < unit && microbatch < ends)
            pp_push(schedule, kind, stage, microbatch);
    }
}

/* The place of the rank's chunk, on a mirrored placement or a V. */
static int place_of(const struct pp_schedule *schedule, int rank, int chunk)
{
    int p = schedule->ranks;
    int from_its_end = chunk % 2 == 0 ? rank : p - 1 - rank;
    return chunk * p + from_its_end;
}

void pp_push_units(struct pp_schedule *schedule, int rank, int microbatches)
{
    int length = 2 * schedule->stages; /* from one unit's beginning to the next one's */
    int each = (schedule->microbatches + schedule->copies - 1) / schedule->copies;
    int units = (each + microbatches - 1) / microbatches;
    /* A unit overlaps with the one before it alone. */
    for (int slot = 0; slot < (units + 1) * length; slot++) {
        for (int unit = slot / length - 1; unit <= slot / length; unit++) {
            for (int c = 0; c < schedule->held && unit >= 0 && unit < units; c++)
                push_slot(schedule, place_of(schedule, rank, c), microbatches,
                          unit * microbatches, slot - unit * length);
        }
    }
}

static void generate(struct pp_schedule *schedule, int rank)
{
    pp_push_units(schedule, rank, schedule->ranks / 2);
}

static const char *needs(const struct pp_shape *shape, enum pp_size *fault)
{
    *fault = PP_SIZE_RANKS;
    if (shape->ranks % 2 != 0)
        return "an even number, whose stages two pipelines can share";
    *fault = PP_SIZE_MICROBATCHES;
    return shape->microbatches < 2 ? "at least one for each of two pipelines" : NULL;
}

bool pp_units_form(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   double idle, struct pp_theory *theory, const char **why)
{
    double f = costs->forward, b = costs->backward, m = shape->microbatches;
    if (shape->microbatches % shape->ranks != 0) {
        *why = "the form needs m to be a multiple of p";
        return false;
    }
    if (costs->hop > 0) {
        *why = "no form with communication is known";
        return false;
    }
    double longer = b > f ? b : f, by = b > f ? b - f : f - b;
    double bubble = idle * (longer + (m / shape->ranks - 1) * by);
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * (f + b) + bubble,
        .exact = true,
    };
    return true;
}

/* The paper gives it for one unit, and for more at tF = tB; the rest was found by
 * replay, and is held against the simulation by a test. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    return pp_units_form(shape, costs, shape->ranks - 2, theory, why);
}

const struct pp_scheduler pp_chimera = {
    .name = "chimera",
    .summary = "two pipelines in opposite directions, two weight copies",
    .bubble = "(p-2)(m/p+1)/3",
    .memory = "p",
    .messages = "2(p-1)",
    .constraint = "p even, m >= 2",
    .source = "Chimera (arXiv 2107.06925) §3.1, table 2",
    .placement = PP_MIRRORED,
    .default_chunks = 1,
    .needs = needs,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
