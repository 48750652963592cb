/* DualPipeV: DualPipe's order (DeepSeek-V3 technical report, arXiv 2412.19437, §3.2.1)
 * cut in half: one copy of the weights, two stages per rank on a V instead of two
 * directions. In the steady state every forward runs joined with a backward, so that
 * each can hide the other's communication.
 *
 * Rank r holds the stages r and 2p-1-r; chunk 0 goes down the V, chunk 1 back up.
 * m >= 2p. In-flight: at most 2p+1 chunks. */
#include "schedules/rules.h"

struct progress {
    struct pp_schedule *schedule;
    int stage[2];     /* of chunk 0 and chunk 1 */
    int forwards[2];  /* written so far, by chunk */
    int backwards[2]; /* B and I together */
    size_t input;     /* index of the op behind the last I whose W has been written */
};

static void forward(struct progress *at, int chunk)
{
    pp_push(at->schedule, PP_F, at->stage[chunk], at->forwards[chunk]++);
}

static void backward(struct progress *at, enum pp_kind kind, int chunk)
{
    pp_push(at->schedule, kind, at->stage[chunk], at->backwards[chunk]++);
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

/* A forward of one chunk with a backward of the other. */
static void pair(struct progress *at, int chunk, bool joined)
{
    forward(at, chunk);
    if (joined)
        pp_join(at->schedule);
    backward(at, PP_B, 1 - chunk);
}

static void generate(struct pp_schedule *schedule, int rank)
{
    int p = schedule->ranks, m = schedule->microbatches;
    int behind = p - 1 - rank; /* ranks before the V turns */
    struct progress at = {
        .schedule = schedule,
        .stage = {rank, 2 * p - 1 - rank},
        .input = schedule->first[rank],
    };
    /* Warm-up: down the V, then both ways, then chunk 1 begins its backwards. */
    for (int i = 0; i < 2 * behind; i++)
        forward(&at, 0);
    for (int i = 0; i < rank + 1; i++) {
        forward(&at, 0);
        forward(&at, 1);
    }
    for (int i = 0; i < behind; i++) {
        backward(&at, PP_I, 1);
        weight(&at);
        forward(&at, 1);
    }
    /* Steady: forwards and backwards joined. Where the V turns, the first backward is
     * of the microbatch whose forward is just over, with nothing to overlap yet. */
    for (int i = 0; i < m - 2 * p + rank + 1; i++) {
        pair(&at, 0, behind > 0 || i > 0);
        pair(&at, 1, true);
    }
    /* Cool-down: no forwards of chunk 0 are left; then backwards alone, the second half
     * of them split, their weight halves filling what is left. */
    for (int i = 0; i < behind; i++) {
        backward(&at, PP_B, 1);
        pair(&at, 1, true);
    }
    for (int i = 0; i < 2 * (rank + 1); i++)
        backward(&at, i <= rank ? PP_B : PP_I, 1 - i % 2);
    for (int i = 0; i < behind; i++) {
        weight(&at);
        backward(&at, PP_I, 0);
    }
    for (int i = 0; i < rank + 1; i++)
        weight(&at);
}

static const char *needs(const struct pp_shape *shape, enum pp_size *fault)
{
    *fault = PP_SIZE_MICROBATCHES;
    return shape->microbatches < 2 * shape->ranks ? "at least twice as many as ranks"
                                                  : NULL;
}

/* For joined pairs that take the sum of both: the bubble is 2(p-1) chunks' forwards. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, m = shape->microbatches;
    if (costs->forward != costs->input || costs->input != costs->weight ||
        costs->backward != costs->input + costs->weight) {
        *why = "the form needs tF = tI = tW and tB = tI + tW";
        return false;
    }
    if (costs->hop > 0) {
        *why = "no form with communication is known";
        return false;
    }
    double bubble = (p - 1) * costs->forward;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * (costs->forward + costs->backward) + bubble,
        .exact = true,
        .source = "found by replay; DualPipe's is in arXiv 2412.19437, table 2",
    };
    return true;
}

const struct pp_scheduler pp_dualpipev = {
    .name = "dualpipev",
    .summary = "forwards overlapped with backwards, two stages per rank on a V",
    .placement = PP_V,
    .default_chunks = 2,
    .needs = needs,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
