/* Interleaved 1F1B: each rank holds v stages (virtual stages), p apart, and takes
 * microbatches through them in groups of N (Megatron-LM, Narayanan et al., arXiv
 * 2104.04473, §2.2.2; Megatron-Core's schedules.py for groups other than p).
 *
 *     p = 3, v = 2, m = N = 3 at tF = tB; small letters: the second chunk
 *
 *     0  F0 F1 F2 f0 f1 f2  .  . b0  . b1  . b2 B0 B1 B2
 *     1   . F0 F1 F2 f0 f1 f2 b0  . b1  . b2 B0 B1 B2
 *     2   .  . F0 F1 F2 f0 b0 f1 b1 f2 b2 B0 B1 B2
 *
 * The bubble (p-1)(tF + tB) / v is v times smaller than 1F1B's, for v times the
 * messages and somewhat more memory: in flight on rank r, in chunks, are
 * min(2(p-1-r) + (v-1)N + 1, m v). Stage of chunk k on rank r: k p + r. Any m. */
#include "schedules/rules.h"

/* Where the j-th forward stands in the order: for each group of N consecutive
 * microbatches (the last may be shorter), for each chunk, for each microbatch of the
 * group. */
struct place {
    int chunk, microbatch;
};

static struct place forward_place(const struct pp_schedule *schedule, long j)
{
    long v = schedule->chunks, N = schedule->group_size, m = schedule->microbatches;
    long group = j / (N * v);
    long size = m - group * N < N ? m - group * N : N;
    long within = j - group * N * v;
    return (struct place){
        .chunk = (int)(within / size),
        .microbatch = (int)(group * N + within % size),
    };
}

/* Backwards come in the same order as forwards, the chunks from the last to the first.
 */
void pp_push_turn(struct pp_schedule *schedule, enum pp_kind kind, int rank, long j)
{
    struct place at = forward_place(schedule, j);
    int chunk = kind == PP_F ? at.chunk : schedule->chunks - 1 - at.chunk;
    pp_push(schedule, kind, chunk * schedule->ranks + rank, at.microbatch);
}

static void generate(struct pp_schedule *schedule, int rank)
{
    long p = schedule->ranks, v = schedule->chunks, N = schedule->group_size;
    long total = v * schedule->microbatches;
    long warmup = 2 * (p - 1 - rank) + (v - 1) * N;
    if (warmup > total)
        warmup = total;
    for (long j = 0; j < warmup; j++)
        pp_push_turn(schedule, PP_F, rank, j);
    for (long j = warmup; j < total; j++) {
        pp_push_turn(schedule, PP_F, rank, j);
        pp_push_turn(schedule, PP_B, rank, j - warmup);
    }
    for (long j = total - warmup; j < total; j++)
        pp_push_turn(schedule, PP_B, rank, j);
}

bool pp_group_fits(const struct pp_shape *shape, int N)
{
    int p = shape->ranks, m = shape->microbatches;
    return N >= p && (m % N == 0 || m % N >= p);
}

/* For m >= p that is one whose groups, the last included, are all at least p long, N =
 * p where p divides m; for m < p it is one group. Any other N may be asked for: one
 * that is too small or leaves a short last group costs time (which is worth seeing), or
 * blocks, which pp_schedule_build finds. A test holds this against every N. */
int pp_best_group_size(const struct pp_shape *shape)
{
    if (shape->microbatches < shape->ranks)
        return shape->microbatches;
    int N = shape->ranks;
    while (!pp_group_fits(shape, N))
        N++;
    return N;
}

/* m >= p: the ramps are in chunks, so v times shorter than 1F1B's. m < p: no rank has
 * enough to do between a microbatch's chunks, and the last of m microbatches leaves
 * the S = p v stages' chain m-1 chunks after the first. */
static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, v = shape->chunks, m = shape->microbatches;
    bool one_group = shape->group_size >= shape->microbatches;
    if (!pp_group_fits(shape, shape->group_size) && !one_group) {
        *why = "the form needs groups of at least p microbatches";
        return false;
    }
    if (costs->hop > 0 && (shape->group_size != shape->ranks ||
                           shape->microbatches % shape->ranks != 0)) {
        *why = "with communication the form needs groups of exactly p microbatches";
        return false;
    }
    if (costs->hop * v > costs->forward || costs->hop * v > costs->backward) {
        *why = "with communication the form needs hops no longer than a chunk's ops";
        return false;
    }
    double work = costs->forward + costs->backward;
    double ramps = m >= p ? p - 1 : (p - m) * v + m - 1;
    double hops = p > 1 ? 2 * (p * v - 1) : 0;
    double bubble = ramps * work / v + hops * costs->hop;
    *theory = (struct pp_theory){
        .bubble = bubble,
        .makespan = m * work + bubble,
        .exact = true,
    };
    return true;
}

const struct pp_scheduler pp_interleaved = {
    .name = "interleaved-1f1b",
    .aliases = {"interleaved"},
    .summary = "1F1B over v stages per rank, in groups of microbatches",
    .bubble = "(p-1)/v",
    .memory = "p+(p-1)/v",
    .messages = "2(pv-1)",
    .source = "Megatron-LM (arXiv 2104.04473) §2.2.2",
    .placement = PP_LOOP,
    .default_chunks = 2,
    .takes_chunks = true,
    .best_group_size = pp_best_group_size,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
