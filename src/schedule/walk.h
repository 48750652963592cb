/* Visits a schedule's ops in an order in which they can run: each after all that it
 * needs. One pass, one visit per op. verify asks it whether the ranks' orders can be
 * executed at all, the simulation when each op starts.
 *
 * It advances one rank as far as it can go, then the last rank that this set free, so
 * the order is deterministic. Ranks only ever wait for a message (F from the stage
 * before, B or I from the stage after); what an op needs of its own stage is the
 * order of its rank, which verify checks. */
#ifndef PP_SCHEDULE_WALK_H
#define PP_SCHEDULE_WALK_H

#include <string.h>

#include "schedule/schedule.h"

/* A rank's place. Its next ops are copied out in blocks: the rows of a thousand ranks
 * are often a power of two apart, all in the same sets of the cache, and would drive
 * each other out between one visit and the next. */
enum { PP_WALK_BLOCK = 8 };

struct pp_walk_rank {
    size_t next, end; /* its next op, and the end of its ops, indices into ops */
    struct pp_op ops[PP_WALK_BLOCK + 1]; /* a copy of the block around next, and the op
                                          * after it, which may be joined */
};

struct pp_walk {
    const struct pp_schedule *schedule;
    struct pp_walk_rank *ranks; /* [ranks] */
    int64_t *released; /* [pp_walk_rows][row] the ops' outputs: what visit returned for
                        * the op that made it, > 0; 0: not there yet; -1 - rank: not
                        * there yet, and the rank waits for it */
    size_t row;        /* >= microbatches, see pp_walk_init */
    int *runnable;     /* [ranks] stack */
};

/* What is visited: one op, or a joined pair. */
struct pp_walk_visit {
    const struct pp_op *op; /* [count] */
    size_t index;           /* of the first */
    int count;              /* how many start together: 2 for a joined pair */
    int rank;
    int64_t input[2]; /* [count] the marks of their inputs; 1 where none is needed */
};

/* PP_ENVIRONMENT when out of memory. */
int pp_walk_init(struct pp_walk *walk, const struct pp_schedule *schedule,
                 struct pp_error *error);
void pp_walk_release(struct pp_walk *walk);

/* The op whose output this one needs from another stage; false if it needs none.
 * Whether the backward one is a B or an I is for that stage's rank to know: I stands
 * for both. */
static inline bool pp_producer(const struct pp_schedule *schedule, struct pp_op op,
                               struct pp_op *producer)
{
    *producer = op;
    producer->joined = 0;
    if (op.kind == PP_F) {
        producer->stage = op.stage - 1;
        return op.stage > 0;
    }
    producer->kind = PP_I;
    producer->stage = op.stage + 1;
    return op.kind != PP_W && (int)op.stage < schedule->stages - 1;
}

/* The op that needs the output of this one; false if none does. */
static inline bool pp_consumer(const struct pp_schedule *schedule, struct pp_op op,
                               struct pp_op *consumer)
{
    *consumer = op;
    consumer->joined = 0;
    if (op.kind == PP_F) {
        consumer->stage = op.stage + 1;
        return (int)op.stage < schedule->stages - 1;
    }
    consumer->kind = PP_I;
    consumer->stage = op.stage - 1;
    return op.kind != PP_W && op.stage > 0;
}

/* Index of an op's output among all outputs: F's, then B's and I's. */
static inline size_t pp_output_index(const struct pp_schedule *schedule,
                                     struct pp_op op)
{
    size_t plane = op.kind == PP_F ? 0 : (size_t)schedule->stages;
    return (plane + op.stage) * (size_t)schedule->microbatches + op.microbatch;
}

/* The rows of released: those of F, then those of B and I, each a row more than there
 * are stages, so that every op has an input and an output: where no stage makes it, it
 * is there from the start. The last row takes what W makes, which no other stage needs.
 */
static inline size_t pp_walk_rows(const struct pp_schedule *schedule)
{
    return 2 * (size_t)schedule->stages + 3;
}

/* The row that an op's input stands in. */
static inline size_t pp_walk_from(const struct pp_schedule *schedule, struct pp_op op)
{
    size_t first = op.kind == PP_F ? 0 : (size_t)schedule->stages + 2;
    return op.kind == PP_W ? 0 : first + op.stage;
}

/* The row that its output goes to. */
static inline size_t pp_walk_to(const struct pp_schedule *schedule, struct pp_op op)
{
    size_t first = op.kind == PP_F ? 1 : (size_t)schedule->stages + 1;
    return op.kind == PP_W ? pp_walk_rows(schedule) - 1 : first + op.stage;
}

static inline int64_t *pp_walk_input(const struct pp_walk *walk, struct pp_op op)
{
    size_t row = pp_walk_from(walk->schedule, op);
    return &walk->released[row * walk->row + op.microbatch];
}

static inline int64_t *pp_walk_output(const struct pp_walk *walk, struct pp_op op)
{
    size_t row = pp_walk_to(walk->schedule, op);
    return &walk->released[row * walk->row + op.microbatch];
}

/* The walk jumps between ranks too soon for the processor to see that it goes along
 * their rows, so it says itself what it needs next: this many ops ahead. */
enum { PP_WALK_AHEAD = 4 };

/* Copies the block that the rank's next op stands in, and has the one after it brought
 * nearer. */
static inline void pp_walk_fetch(const struct pp_walk *walk, struct pp_walk_rank *rank)
{
    const struct pp_op *ops = walk->schedule->ops;
    size_t begin = rank->next - rank->next % PP_WALK_BLOCK, count = rank->end - begin;
    if (rank->next >= rank->end)
        return;
    if (count > PP_WALK_BLOCK + 1)
        count = PP_WALK_BLOCK + 1;
    memcpy(rank->ops, &ops[begin], count * sizeof *ops);
    __builtin_prefetch(&ops[begin + 2 * PP_WALK_BLOCK]);
}

/* Visits all ops that can run; visit returns what their consumers shall find as their
 * outputs' mark, > 0. Returns the number of ops visited: all of them, unless executing
 * the schedule blocks; then ranks tells where each stands. Inline, so that visit is
 * too. */
static inline size_t
pp_walk(struct pp_walk *walk,
        int64_t (*visit)(void *data, const struct pp_walk_visit *at), void *data)
{
    size_t visited = 0;
    int runnable = 0;
    for (int r = walk->schedule->ranks - 1; r >= 0; r--)
        walk->runnable[runnable++] = r;

    while (runnable > 0) {
        struct pp_walk_visit at = {.rank = walk->runnable[--runnable]};
        struct pp_walk_rank *rank = &walk->ranks[at.rank];
        while (rank->next < rank->end) {
            at.index = rank->next;
            at.op = &rank->ops[at.index % PP_WALK_BLOCK];
            at.count = at.op->joined && at.index + 1 < rank->end ? 2 : 1;
            int64_t *input = NULL;
            for (int k = 0; k < at.count; k++) {
                input = pp_walk_input(walk, at.op[k]);
                at.input[k] = *input;
                if (*input <= 0)
                    break;
            }
            if (*input <= 0) {
                *input = -1 - at.rank;
                break;
            }
            int64_t mark = visit(data, &at);
            for (int k = 0; k < at.count; k++) {
                int64_t *output = pp_walk_output(walk, at.op[k]);
                if (*output < 0)
                    walk->runnable[runnable++] = (int)(-1 - *output);
                *output = mark;
                __builtin_prefetch(output + PP_WALK_AHEAD, 1);
            }
            visited += (size_t)at.count;
            rank->next += (size_t)at.count;
            if (rank->next / PP_WALK_BLOCK != at.index / PP_WALK_BLOCK)
                pp_walk_fetch(walk, rank);
        }
    }
    return visited;
}

#endif
