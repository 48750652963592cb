#include "run/buffers.h"

#include <stdlib.h>

#include "run/channel.h"

/* One kind of buffer of one stage, while the ops go by. */
struct count {
    int held, peak;
};

static void take(struct count *count)
{
    count->held++;
    count->peak = count->held > count->peak ? count->held : count->peak;
}

struct counts {
    struct count *transients, *activations, *gradients, *inputs; /* [chunks] */
    struct count wires;
};

/* Activations and what goes with them: from F on, or of re-computation from B or I on;
 * never where B goes through them block by block. */
static void count_activations(struct counts *counts, enum pp_recompute recompute,
                              enum pp_kind kind, int c)
{
    bool anew = recompute != PP_RECOMPUTE_NONE;
    bool by_block = recompute == PP_RECOMPUTE_BLOCK && kind == PP_B;
    if (kind == PP_F && anew)
        take(&counts->inputs[c]);
    if (anew ? pp_is_backward(kind) && !by_block : kind == PP_F) {
        take(&counts->transients[c]);
        take(&counts->activations[c]);
    }
    if (pp_is_backward(kind) && anew)
        counts->inputs[c].held--;
    if (pp_is_backward(kind) && !by_block)
        counts->transients[c].held--;
    if (pp_ends_backward(kind) && !by_block)
        counts->activations[c].held--;
}

/* An op takes at its start and gives back at its end. */
static void count_op(struct counts *counts, const struct pp_schedule *schedule,
                     enum pp_recompute recompute, struct pp_op op)
{
    int c = schedule->chunk_of[pp_op_place(schedule, op)];
    bool takes_grad = (int)op.stage < schedule->stages - 1;
    count_activations(counts, recompute, op.kind, c);
    if (pp_is_backward(op.kind)) {
        take(&counts->gradients[c]);
        if (takes_grad)
            take(&counts->wires);
    }
    if (pp_ends_backward(op.kind)) {
        counts->gradients[c].held--;
        counts->wires.held -= takes_grad;
    }
}

int pp_buffer_counts_init(struct pp_buffer_counts *result,
                          const struct pp_schedule *schedule,
                          enum pp_recompute recompute, int rank, struct pp_error *error)
{
    size_t chunks = (size_t)schedule->held;
    struct count *of = calloc(4 * chunks, sizeof *of);
    int *peaks = calloc(4 * chunks, sizeof *peaks);
    if (!of || !peaks) {
        free(of);
        free(peaks);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu stages", chunks);
    }
    struct counts counts = {of, of + chunks, of + 2 * chunks, of + 3 * chunks, {0}};
    for (size_t k = schedule->first[rank]; k < schedule->first[rank + 1]; k++)
        count_op(&counts, schedule, recompute, schedule->ops[k]);
    for (size_t i = 0; i < 4 * chunks; i++)
        peaks[i] = of[i].peak;
    /* Beside what ops hold: one op's input and output, receives posted ahead, and sends
     * that have not gone when the next output is ready. */
    *result = (struct pp_buffer_counts){
        .wires = counts.wires.peak + 2 + PP_RECEIVES_AHEAD + 2,
        .transients = peaks,
        .activations = peaks + chunks,
        .gradients = peaks + 2 * chunks,
        .inputs = peaks + 3 * chunks,
    };
    free(of);
    return 0;
}

void pp_buffer_counts_release(struct pp_buffer_counts *counts)
{
    free(counts->transients);
    *counts = (struct pp_buffer_counts){0};
}

double pp_wire_bytes(const struct pp_model_config *model)
{
    return (double)sizeof(struct pp_wire) + (double)model->microbatch_size *
                                                model->seq_len * model->d_model *
                                                (double)sizeof(real);
}
