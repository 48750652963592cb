#include "schedule/held.h"

#include <stdlib.h>

/* Microbatches of a stage, by what they hold. */
struct held {
    int forward, weight;
    struct pp_hold each;
};

/* Summed anew each time, so that no rounding adds up over a step's ops. */
static double sum(const struct held *held, int chunks)
{
    double total = 0;
    for (int c = 0; c < chunks; c++)
        total += held[c].forward * held[c].each.forward +
                 held[c].weight * held[c].each.weight;
    return total;
}

static void raise(double *peak, double total)
{
    *peak = total > *peak ? total : *peak;
}

int pp_peak_memory(const struct pp_schedule *schedule, int rank,
                   const struct pp_hold *hold, double *peak, struct pp_error *error)
{
    struct held *held = calloc((size_t)schedule->held, sizeof *held);
    if (!held)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d stages",
                       schedule->held);
    *peak = 0;
    for (size_t k = schedule->first[rank]; k < schedule->first[rank + 1]; k++) {
        struct pp_op op = schedule->ops[k];
        struct held *of = &held[schedule->chunk_of[pp_op_place(schedule, op)]];
        of->each = hold[op.stage];
        if (pp_is_backward(op.kind))
            raise(peak, sum(held, schedule->held) + of->each.again[op.kind]);
        of->forward += (op.kind == PP_F) - pp_is_backward(op.kind);
        of->weight += (op.kind == PP_I) - (op.kind == PP_W);
        if (pp_ends_backward(op.kind))
            continue; /* only less than before */
        raise(peak, sum(held, schedule->held));
        of->forward -= pp_decodes(schedule); /* until its end */
    }
    free(held);
    return 0;
}
