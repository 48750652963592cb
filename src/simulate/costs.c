#include "simulate/costs.h"

#include <math.h>
#include <stdlib.h>

int pp_costs_init(struct pp_costs *costs, int stages, struct pp_error *error)
{
    *costs = (struct pp_costs){
        .stages = stages,
        .classes = 1,
        .op = calloc((size_t)stages, sizeof *costs->op),
        .joined_factor = 1,
        .near.bandwidth = INFINITY,
        .far.bandwidth = INFINITY,
    };
    if (!costs->op)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the costs of %d stages", stages);
    return 0;
}

int pp_costs_classify(struct pp_costs *costs, const struct pp_schedule *schedule,
                      struct pp_error *error)
{
    if (schedule->class_count <= 1)
        return 0;
    free(costs->op);
    costs->classes = schedule->class_count;
    costs->op =
        calloc((size_t)costs->classes * (size_t)costs->stages, sizeof *costs->op);
    if (!costs->op)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the costs of %d stages", costs->stages);
    return 0;
}

void pp_costs_release(struct pp_costs *costs)
{
    free(costs->op);
    free(costs->joined);
    free(costs->reduce);
    free(costs->slow);
    *costs = (struct pp_costs){0};
}

void pp_costs_fill(struct pp_costs *costs, int64_t forward, int64_t input,
                   int64_t weight)
{
    for (int s = 0; s < costs->classes * costs->stages; s++) {
        costs->op[s][PP_F] = forward;
        costs->op[s][PP_B] = input + weight;
        costs->op[s][PP_I] = input;
        costs->op[s][PP_W] = weight;
    }
}

int pp_costs_join(struct pp_costs *costs, int64_t joined, struct pp_error *error)
{
    if (!costs->joined)
        costs->joined = malloc((size_t)costs->stages * sizeof *costs->joined);
    if (!costs->joined)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the costs of %d stages", costs->stages);
    for (int s = 0; s < costs->stages; s++)
        costs->joined[s] = joined;
    return 0;
}

static void add(int64_t *cost, int64_t by)
{
    *cost = *cost + by > 0 ? *cost + by : 0;
}

void pp_costs_recompute(struct pp_costs *costs, int times)
{
    for (int s = 0; s < costs->stages; s++) {
        int64_t forward = times * costs->op[s][PP_F];
        add(&costs->op[s][PP_B], forward);
        add(&costs->op[s][PP_I], forward);
        if (costs->joined)
            add(&costs->joined[s], forward);
    }
}

void pp_costs_halve(int64_t op[PP_KINDS])
{
    op[PP_W] = op[PP_B] / 2;
    op[PP_I] = op[PP_B] - op[PP_W];
}

int64_t pp_nanoseconds(double ns)
{
    return llround(fmin(ns, 0x1p61));
}

int64_t pp_hop_wire(const struct pp_hop *hop, double bytes)
{
    return pp_nanoseconds(1e9 * bytes / hop->bandwidth);
}

double pp_costs_bytes(const struct pp_costs *costs, const struct pp_schedule *schedule,
                      int of_class, bool feedback)
{
    int rows = pp_decodes(schedule) ? schedule->classes[of_class].rows : 1;
    return rows * (feedback ? PP_TOKEN_BYTES : costs->message_bytes);
}

const struct pp_hop *pp_costs_hop(const struct pp_costs *costs, int from, int to)
{
    int node = costs->ranks_per_node;
    if (from == to)
        return NULL;
    return node == 0 || from / node == to / node ? &costs->near : &costs->far;
}

/* Adds one hop to the sum; does it cost what the closed forms' hops do, and what the
 * others before it did? */
static bool add_hop(const struct pp_hop *hop, double bytes, int count, double *sum)
{
    int64_t time = hop->latency + pp_hop_wire(hop, bytes);
    bool alike = (double)time * count == *sum;
    *sum += (double)time;
    return alike && hop->sender == 0 && hop->receiver == 0 && !hop->serialise;
}

bool pp_costs_equal(const struct pp_costs *costs, const struct pp_schedule *schedule,
                    struct pp_equal_costs *equal)
{
    bool summed = !costs->joined && costs->joined_factor == 1;
    bool alike = costs->jitter == 0 && (summed || !pp_schedule_joins(schedule));
    double sum[PP_KINDS] = {0}, hops = 0;
    int hop_count = 0, of_class = pp_decodes(schedule) ? schedule->class_count - 1 : 0;
    double bytes = pp_costs_bytes(costs, schedule, of_class, false);
    for (int s = 0; s < costs->stages; s++) {
        const int64_t *op = pp_costs_of(costs, of_class, s);
        for (int kind = 0; kind < PP_KINDS; kind++) {
            sum[kind] += (double)op[kind];
            alike &= op[kind] == pp_costs_of(costs, of_class, 0)[kind];
        }
    }
    for (int at = 0; at < schedule->copies * costs->stages; at++) {
        int rank = schedule->rank_of[at];
        alike &= !costs->slow || costs->slow[rank] == 1.0;
        if ((at + 1) % costs->stages == 0)
            continue;
        const struct pp_hop *hop = pp_costs_hop(costs, rank, schedule->rank_of[at + 1]);
        if (hop)
            alike &= add_hop(hop, bytes, hop_count++, &hops);
    }
    const struct pp_hop *back =
        pp_decodes(schedule) ? pp_costs_hop(costs, schedule->rank_of[costs->stages - 1],
                                            schedule->rank_of[0])
                             : NULL;
    double feedback = 0;
    if (back)
        alike &= add_hop(back, pp_costs_bytes(costs, schedule, of_class, true), 0,
                         &feedback);
    *equal = (struct pp_equal_costs){
        .feedback = feedback,
        .forward = sum[PP_F] / schedule->ranks,
        .backward = sum[PP_B] / schedule->ranks,
        .input = sum[PP_I] / schedule->ranks,
        .weight = sum[PP_W] / schedule->ranks,
        .hop = hop_count > 0 ? hops / hop_count : 0,
    };
    return alike;
}
