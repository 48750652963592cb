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

/* A rank's next ops are copied out in blocks: the rows of a thousand ranks are often a
 * power of two apart, all in the same sets of the cache, and would drive each other out
 * between one visit and the next. */
enum { PP_WALK_BLOCK = 8 };

struct pp_walk_block {
    struct pp_op ops[PP_WALK_BLOCK + 1]; /* and the next, which may be joined */
};

struct pp_walk {
    const struct pp_schedule *schedule;
    size_t *position;            /* [ranks] the next op of each rank, index into ops */
    struct pp_walk_block *block; /* [ranks] a copy of the ops around position */
    int64_t *released; /* [2][stages][row] F's outputs, then B's and I's: what visit
                        * returned for the op that made it, > 0; 0: not there yet; -1 -
                        * rank: not there yet, and the rank waits for it */
    size_t row;        /* >= microbatches, see pp_walk_init */
    int *runnable;     /* [ranks] stack */
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

/* The same in a walk's arrays, whose rows are longer. */
static inline size_t pp_walk_output(const struct pp_walk *walk, struct pp_op op)
{
    size_t plane = op.kind == PP_F ? 0 : (size_t)walk->schedule->stages;
    return (plane + op.stage) * walk->row + op.microbatch;
}

/* The entry of released for the op's input, if that is not there yet; else NULL. */
static inline int64_t *pp_walk_missing(const struct pp_walk *walk, struct pp_op op)
{
    struct pp_op producer;
    if (!pp_producer(walk->schedule, op, &producer))
        return NULL;
    int64_t *released = &walk->released[pp_walk_output(walk, producer)];
    return *released > 0 ? NULL : released;
}

/* The walk jumps between ranks too soon for the processor to see that it goes along
 * their rows, so it says itself what it needs next: this many ops ahead. */
enum { PP_WALK_AHEAD = 16 };

/* Copies the block that the op stands in, and has the next one brought nearer. */
static inline void pp_walk_fetch(struct pp_walk *walk, int rank, size_t op)
{
    const struct pp_schedule *schedule = walk->schedule;
    size_t begin = op - op % PP_WALK_BLOCK, end = schedule->first[rank + 1];
    size_t count = end - begin < PP_WALK_BLOCK + 1 ? end - begin : PP_WALK_BLOCK + 1;
    if (op >= end)
        return;
    memcpy(walk->block[rank].ops, &schedule->ops[begin], count * sizeof(struct pp_op));
    __builtin_prefetch(&schedule->ops[begin + 2 * PP_WALK_BLOCK]);
}

/* Visits all ops that can run; visit gets the index of an op and how many ops from
 * there start together (2 for a joined pair), and returns what their consumers shall
 * find as their outputs' mark, > 0. Returns the number of ops visited: all
 * of them, unless executing the schedule blocks; then position tells where each rank
 * stands. Inline, so that visit is too. */
static inline size_t pp_walk(struct pp_walk *walk,
                             int64_t (*visit)(void *data, const struct pp_op *op,
                                              size_t index, int count),
                             void *data)
{
    const struct pp_schedule *schedule = walk->schedule;
    size_t visited = 0;
    int runnable = 0;
    for (int r = schedule->ranks - 1; r >= 0; r--)
        walk->runnable[runnable++] = r;

    while (runnable > 0) {
        int rank = walk->runnable[--runnable];
        size_t next = walk->position[rank];
        size_t end = schedule->first[rank + 1];
        while (next < end) {
            const struct pp_op *op = &walk->block[rank].ops[next % PP_WALK_BLOCK];
            int count = op->joined && next + 1 < end ? 2 : 1;
            int64_t *missing = pp_walk_missing(walk, op[0]);
            if (!missing && count == 2)
                missing = pp_walk_missing(walk, op[1]);
            if (missing) {
                *missing = -1 - rank;
                break;
            }
            int64_t mark = visit(data, op, next, count);
            size_t block = next / PP_WALK_BLOCK;
            next += (size_t)count;
            visited += (size_t)count;
            for (int k = 0; k < count; k++) {
                struct pp_op consumer;
                if (!pp_consumer(schedule, op[k], &consumer))
                    continue;
                int64_t *released = &walk->released[pp_walk_output(walk, op[k])];
                if (*released < 0)
                    walk->runnable[runnable++] = (int)(-1 - *released);
                *released = mark;
                __builtin_prefetch(released + PP_WALK_AHEAD, 1);
            }
            if (next / PP_WALK_BLOCK != block)
                pp_walk_fetch(walk, rank, next);
        }
        walk->position[rank] = next;
    }
    return visited;
}

#endif
