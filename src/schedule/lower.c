#include "schedule/lower.h"

#include <stdlib.h>
#include <string.h>

#include "schedule/walk.h"

struct lowering {
    const struct pp_schedule *schedule;
    struct pp_lowered *lowered;
    size_t *next;        /* [ranks] op to be placed */
    size_t *end;         /* [ranks] of the cells written so far */
    unsigned char *done; /* [2][stages][microbatches] outputs of placed ops */
};

/* Does the op's output travel to another rank? */
static bool sends(const struct pp_schedule *schedule, struct pp_op op,
                  struct pp_op *consumer)
{
    return pp_consumer(schedule, op, consumer) &&
           pp_op_rank(schedule, op) != pp_op_rank(schedule, *consumer);
}

/* An I with its own W right behind it, neither part of a joined pair. */
static bool is_whole_backward(const struct pp_schedule *schedule, int rank, size_t k)
{
    const struct pp_op *op = &schedule->ops[k];
    bool paired = op->joined || (k > schedule->first[rank] && op[-1].joined);
    return op->kind == PP_I && !paired && k + 1 < schedule->first[rank + 1] &&
           op[1].kind == PP_W && !op[1].joined && op[1].stage == op->stage &&
           op[1].microbatch == op->microbatch;
}

/* How many cells each rank's row takes: into first[rank + 1], then summed. */
static void count_cells(const struct pp_schedule *schedule, size_t *first)
{
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            struct pp_op consumer;
            first[r + 1]++;
            if (is_whole_backward(schedule, r, k))
                first[r + 1]--; /* its W will not be written */
            if (pp_reduces_after(schedule, r, k))
                first[r + 1]++;
            if (sends(schedule, schedule->ops[k], &consumer)) {
                first[r + 1]++;
                first[pp_op_rank(schedule, consumer) + 1]++;
            }
        }
    }
    for (int r = 0; r < schedule->ranks; r++)
        first[r + 1] += first[r];
}

static void put(struct lowering *low, int rank, struct pp_op op, enum pp_action action)
{
    low->lowered->cells[low->end[rank]++] = (struct pp_action_cell){
        .stage = op.stage,
        .microbatch = op.microbatch,
        .action = (uint8_t)action,
        .joined = op.joined,
    };
}

static bool ready(const struct lowering *low, struct pp_op op)
{
    struct pp_op producer;
    return !pp_producer(low->schedule, op, &producer) ||
           low->done[pp_output_index(low->schedule, producer)];
}

/* Places a rank's next op, or pair, if its inputs have been sent: the op, then the send
 * of its output on this rank and the receive on the other, then the reduction that it
 * was the last to be waited for. */
static bool place(struct lowering *low, int rank)
{
    const struct pp_schedule *schedule = low->schedule;
    size_t k = low->next[rank];
    if (k == schedule->first[rank + 1])
        return false;
    const struct pp_op *op = &schedule->ops[k];
    int count = op->joined ? 2 : 1;
    if (!ready(low, op[0]) || (count == 2 && !ready(low, op[1])))
        return false;
    bool merged = is_whole_backward(schedule, rank, k);
    for (int i = 0; i < count; i++)
        put(low, rank, op[i], merged ? PP_ACTION_B : (enum pp_action)op[i].kind);
    for (int i = 0; i < count; i++) {
        struct pp_op consumer, alone = op[i];
        alone.joined = 0;
        if (op[i].kind == PP_W)
            continue;
        low->done[pp_output_index(schedule, op[i])] = 1;
        if (!sends(schedule, op[i], &consumer))
            continue;
        bool forward = op[i].kind == PP_F;
        put(low, rank, alone, forward ? PP_SEND_F : PP_SEND_B);
        put(low, pp_op_rank(schedule, consumer), consumer,
            forward ? PP_RECV_F : PP_RECV_B);
    }
    low->next[rank] += (size_t)count + merged;
    for (; k < low->next[rank]; k++) {
        struct pp_op whole = {.stage = schedule->ops[k].stage};
        if (pp_reduces_after(schedule, rank, k))
            put(low, rank, whole, PP_REDUCE_GRAD);
    }
    return true;
}

/* Rounds over the ranks, each placing at most one action per round. */
static void place_all(struct lowering *low)
{
    bool placed;
    do {
        placed = false;
        for (int r = 0; r < low->schedule->ranks; r++)
            placed |= place(low, r);
    } while (placed);
}

int pp_lower(struct pp_lowered *lowered, const struct pp_schedule *schedule,
             struct pp_error *error)
{
    size_t ranks = (size_t)schedule->ranks;
    size_t outputs = 2 * (size_t)schedule->stages * (size_t)schedule->microbatches;
    int result = -1;
    *lowered = (struct pp_lowered){.first = calloc(ranks + 1, sizeof(size_t))};
    struct lowering low = {
        .schedule = schedule,
        .lowered = lowered,
        .next = malloc(ranks * sizeof *low.next),
        .end = malloc(ranks * sizeof *low.end),
        .done = calloc(outputs, 1),
    };
    if (!lowered->first || !low.next || !low.end || !low.done)
        goto done;
    count_cells(schedule, lowered->first);
    lowered->cells = malloc(lowered->first[ranks] * sizeof *lowered->cells);
    if (!lowered->cells)
        goto done;
    memcpy(low.next, schedule->first, ranks * sizeof *low.next);
    memcpy(low.end, lowered->first, ranks * sizeof *low.end);
    place_all(&low);
    result = 0;

done:
    free(low.next);
    free(low.end);
    free(low.done);
    if (result != 0) {
        pp_lowered_release(lowered);
        pp_fail(error, PP_ENVIRONMENT, "out of memory to write '%s'", schedule->name);
    }
    return result;
}

void pp_lowered_release(struct pp_lowered *lowered)
{
    free(lowered->first);
    free(lowered->cells);
    *lowered = (struct pp_lowered){0};
}
