/* Decoding: g groups of sequences take turns, one token of each sequence of a group at
 * a time, so that the stages work while a group's tokens go back to the first one.
 *
 *     p = 4, g = 4: turns 0 to 3 of each group; F4 is group 0's second token
 *
 *     0  F0 F1 F2 F3 F4 F5 F6 F7 F8 F9
 *     1   . F0 F1 F2 F3 F4 F5 F6 F7 F8 F9
 *     2   .  . F0 F1 F2 F3 F4 F5 F6 F7 F8 F9
 *     3   .  .  . F0 F1 F2 F3 F4 F5 F6 F7 F8 F9
 *
 * Microbatch t g + j is turn t of group j, and begins with the tokens of the turn
 * before: F(0, i) also needs F(p-1, i-g). Each rank takes the microbatches in this
 * order. Where prompts are prefilled in N chunks, the first N turns are those chunks,
 * which need only the keys and values of the chunks before, on the same stage: no way
 * round. The first token to be decoded is the one that the last chunk samples.
 *
 * Of equal stages that take c, with hops l and a way back b, a turn comes round after
 *     P = max(g c, p c + (p-1) l + b)
 * and T turns of g groups, of which the last has only k, take
 *     (T-1) P + (k-1) c + p c + (p-1) l
 * since group j starts turn t on rank 0 at t P + j c, and no rank makes it wait. With
 * free links and whole turns that is a bubble of 1 - g T/(T p + g - 1) for g <= p, of
 * (p-1)/(g T + p - 1) for g >= p: g = p fills the ranks, g < p cannot, g > p only makes
 * each sequence wait. */
#include <stdlib.h>

#include "schedules/rules.h"

/* --groups, or one for each rank. */
static int best_groups(const struct pp_shape *shape)
{
    return shape->ranks;
}

static int feed_back(struct pp_schedule *schedule, const struct pp_shape *shape,
                     struct pp_error *error)
{
    int m = schedule->microbatches, prompts = shape->groups * shape->prompt_chunks;
    struct pp_class classes[2] = {{"decode", shape->rows}};
    if (prompts > 0) {
        classes[1] = classes[0];
        classes[0] = (struct pp_class){"prefill", shape->prompt_rows};
    }
    int *numbers = calloc(3 * (size_t)m, sizeof *numbers);
    if (!numbers)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d microbatches", m);
    int *after = numbers, *group_of = after + m, *class_of = group_of + m;
    for (int i = 0; i < m; i++) {
        after[i] = i < prompts || i < shape->groups ? -1 : i - shape->groups;
        group_of[i] = i % shape->groups;
        class_of[i] = prompts > 0 && i >= prompts;
    }
    const struct pp_decoding decoding = {
        .after = after,
        .group_of = group_of,
        .class_of = class_of,
        .classes = classes,
        .class_count = prompts > 0 ? 2 : 1,
    };
    int status = pp_schedule_decode(schedule, &decoding, error);
    free(numbers);
    return status;
}

static void generate(struct pp_schedule *schedule, int rank)
{
    for (int i = 0; i < schedule->microbatches; i++)
        pp_push(schedule, PP_F, rank, i);
}

static bool theory(const struct pp_shape *shape, const struct pp_equal_costs *costs,
                   struct pp_theory *theory, const char **why)
{
    double p = shape->ranks, g = shape->groups, m = shape->microbatches;
    double c = costs->forward, hops = (p - 1) * costs->hop;
    if (shape->prompt_chunks > 0) {
        *why = "the closed form is of decoding alone, without '--prompt-chunks'";
        return false;
    }
    double turns = (shape->microbatches + shape->groups - 1) / shape->groups;
    double last = m - (turns - 1) * g, round = p * c + hops + costs->feedback;
    double period = g * c > round ? g * c : round;
    double makespan = (turns - 1) * period + (last - 1) * c + p * c + hops;
    *theory = (struct pp_theory){
        .bubble = makespan - m * c,
        .makespan = makespan,
        .exact = true,
    };
    return true;
}

const struct pp_scheduler pp_decode_by_turns = {
    .name = "decode",
    .summary = "generates tokens: groups of sequences take turns",
    .bubble = "0",
    .memory = "1",
    .messages = "up to p",
    .source = "the period of the groups' turns, derived in schedules/decode.c",
    .placement = PP_LOOP,
    .default_chunks = 1,
    .best_groups = best_groups,
    .feed_back = feed_back,
    .generate = generate,
    .theory = theory,
    .checked = true,
};
