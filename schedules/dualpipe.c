/* DualPipe: two copies of the weights on the same ranks, and microbatches that enter at
 * both ends, so that in the steady state every forward of one direction runs joined
 * with a backward of the other: each can hide the other's communication (DeepSeek-V3
 * technical report, arXiv 2412.19437, §3.2.1; the order is that of the code that its
 * authors published).
 *
 *     p = 4, m = 8, tF = tI = tW; small letters: the direction that enters at the last
 *     rank. From column 8 on, F and B that follow each other overlap.
 *
 *     0  F0 F1 F2 f4 i4 w4 f5 F3 b5  =  . f6 B0  = b6  =  . f7 B1  = b7  = I2 W2 I3 W3
 *     1   . F0 f4 F1 f5 F2 b4  = f6 B0  = F3 b5  = f7 B1  = b6  = B2  =  . i7 I3 w7 W3
 *     2   . f4 F0 f5 F1 f6 B0  = F2 b4  = f7 B1  = F3 b5  = B2  = b6  =  . I3 i7 W3 w7
 *     3  f4 f5 f6 F0 I0 W0 F1 f7 B1  =  . F2 b4  = B2  =  . F3 b5  = B3  = i6 w6 i7 w7
 *
 * It buys overlap, and a bubble under a third of 1F1B's, with memory: each rank holds
 * two stages' weights, and up to p+1 microbatches. The gradients of the two copies are
 * summed at the end. p even, m even, m >= 2p. */
#include "schedules/rules.h"

struct progress {
    struct pp_schedule *schedule;
    const struct pp_dual *dual;
    int forwards[2];  /* written so far, by direction */
    int backwards[2]; /* B and I together */
    size_t input;     /* index of the op behind the last I whose W has been written */
};

static void forward(struct progress *at, int way)
{
    const struct pp_dual *dual = at->dual;
    pp_push(at->schedule, PP_F, dual->stage[way],
            dual->microbatch[way] + at->forwards[way]++);
}

static void backward(struct progress *at, enum pp_kind kind, int way)
{
    const struct pp_dual *dual = at->dual;
    pp_push(at->schedule, kind, dual->stage[way],
            dual->microbatch[way] + at->backwards[way]++);
}

/* The W of the oldest I that has none yet. */
static void weight(struct progress *at)
{
    if (!at->schedule->ops) /* out of memory: pp_schedule_end will say so */
        return;
    while (at->schedule->ops[at->input].kind != PP_I)
        at->input++;
    struct pp_op op = at->schedule->ops[at->input++];
    pp_push(at->schedule, PP_W, (int)op.stage, (int)op.microbatch);
}

/* A forward of one direction with a backward of the other. */
static void pair(struct progress *at, int way, bool joined)
{
    forward(at, way);
    if (joined)
        pp_join(at->schedule);
    backward(at, PP_B, 1 - way);
}

void pp_push_dual(struct pp_schedule *schedule, const struct pp_dual *dual)
{
    struct progress at = {
        .schedule = schedule,
        .dual = dual,
        .input = schedule->first[schedule->writing],
    };
    int before = dual->before, behind = dual->behind;
    /* Warm-up: the near direction, then both, then the far one begins its backwards. */
    for (int i = 0; i < 2 * behind; i++)
        forward(&at, 0);
    for (int i = 0; i < before + 1; i++) {
        forward(&at, 0);
        forward(&at, 1);
    }
    for (int i = 0; i < behind; i++) {
        backward(&at, PP_I, 1);
        weight(&at);
        forward(&at, 1);
    }
    /* Steady: forwards and backwards joined. Where the directions meet, the first
     * backward is of the microbatch whose forward is just over, with nothing to overlap
     * yet. */
    for (int i = 0; i < dual->steady; i++) {
        pair(&at, 0, behind > 0 || i > 0);
        pair(&at, 1, true);
    }
    /* Cool-down: no forwards of the near direction are left; then backwards alone, the
     * second half of them split, their weight halves filling what is left. */
    for (int i = 0; i < behind; i++) {
        backward(&at, PP_B, 1);
        pair(&at, 1, true);
    }
    for (int i = 0; i < 2 * (before + 1); i++)
        backward(&at, i <= before ? PP_B : PP_I, 1 - i % 2);
    for (int i = 0; i < behind; i++) {
        weight(&at);
        backward(&at, PP_I, 0);
    }
    for (int i = 0; i < before + 1; i++)
        weight(&at);
}

bool pp_dual_form(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                  double ramps, struct pp_theory *theory, const char **why)
{
    if (costs->forward != costs->input || costs->weight > costs->forward ||
        costs->backward != costs->input + costs->weight) {
        *why = "the form needs tF = tI, tW no longer, and tB = tI + tW";
        return false;
    }
    if (costs->hop > 0) {
        *why = "no form with communication is known";
        return false;
    }
    double pair = costs->forward + costs->backward;
    double bubble = ramps * (pair + costs->backward - 3 * costs->weight);
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = shape->microbatches * pair + bubble,
        .exact = true,
    };
    return true;
}

static void generate(struct pp_schedule *schedule, int rank)
{
    int p = schedule->ranks, half = schedule->microbatches / 2;
    bool first_half = rank < p / 2;
    int before = first_half ? rank : p - 1 - rank; /* ranks to the near end */
    pp_push_dual(schedule,
                 &(struct pp_dual){
                     .stage = {before, p - 1 - before},
                     .microbatch = {first_half ? 0 : half, first_half ? half : 0},
                     .before = before,
                     .behind = p / 2 - 1 - before,
                     .steady = half - p + before + 1,
                 });
}

static const char *needs(const struct pp_shape *shape, enum pp_size *fault)
{
    *fault = PP_SIZE_RANKS;
    if (shape->ranks % 2 != 0)
        return "an even number, half of them for each direction to enter";
    *fault = PP_SIZE_MICROBATCHES;
    bool fits = shape->microbatches % 2 == 0 && shape->microbatches >= 2 * shape->ranks;
    return fits ? NULL : "an even number of at least twice as many as ranks";
}

static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    return pp_dual_form(shape, costs, shape->ranks / 2.0 - 1, theory, why);
}

const struct pp_scheduler pp_dualpipe = {
    .name = "dualpipe",
    .summary = "forwards overlapped with backwards, two weight copies, from both ends",
    .bubble = "(p-2)/3",
    .memory = "p+1",
    .messages = "2(p-1)",
    .constraint = "p even, m even, m >= 2p",
    .source = "DeepSeek-V3 technical report (arXiv 2412.19437) §3.2.1, table 2",
    .placement = PP_MIRRORED,
    .default_chunks = 1,
    .needs = needs,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
