/* The walk: visits a schedule's ops in an order in which they can run, each after all
 * that it needs. One pass, one visit per op. verify asks it whether the ranks' orders
 * can be executed at all, the simulation when each op starts. And, in one place, the
 * dependencies themselves: pp_producer and pp_consumer.
 *
 * How it goes. Each rank has its ops in order, so at any time it has one next op, and
 * the walk need only know whether that op's input is there. Ranks only ever wait for a
 * message: F from the stage before, B or I from the stage after; in decoding also F of
 * the first stage from the last. What an op needs of
 * its own stage (its F, its I) is a matter of the rank's own order, which verify
 * checks.
 *
 *     all ranks are runnable
 *     take one, and visit its ops until one lacks its input: there, leave a note with
 *     the input, "this rank waits", and drop the rank
 *     whenever an op's output finds such a note, its rank is runnable again
 *     until no rank is runnable
 *
 * An op is looked at once when it runs, and before that at most once for each input
 * that it lacked, so the time is linear in the ops. The runnable ranks are a stack: the
 * rank that was set free last goes on first, while its input is still in the cache. The
 * order is the same every time.
 *
 * The rest of this file is speed, with a loop for training and one for decoding, which
 * alone must look up where tokens go. A visit computes little, so most of its time
 * would go into waiting for memory: the schedule of a thousand ranks does not fit the
 * caches, and the walk jumps between ranks too soon for the processor to notice that it
 * goes along their rows. Hence the blocks, the odd rows and the prefetches below. */
#ifndef PP_SCHEDULE_WALK_H
#define PP_SCHEDULE_WALK_H

#include <string.h>

#include "schedule/schedule.h"

/* --- marks ----------------------------------------------------------------------- */

/* What is known of one output. One integer, so that an op's input costs one load: 0
 * while the output is absent, which is what calloc gives; -1 - rank while it is absent
 * and that rank waits for it; 1 + time once it has been released. An output has one
 * consumer, so no two ranks ever wait for the same one. */
struct pp_mark {
    int64_t value;
};

static inline struct pp_mark pp_mark_released(int64_t time)
{
    return (struct pp_mark){1 + time};
}

static inline struct pp_mark pp_mark_awaited(int rank)
{
    return (struct pp_mark){-1 - rank};
}

static inline bool pp_is_released(struct pp_mark mark)
{
    return mark.value > 0;
}

static inline bool pp_is_awaited(struct pp_mark mark)
{
    return mark.value < 0;
}

/* Of a mark that is released. */
static inline int64_t pp_mark_time(struct pp_mark mark)
{
    return mark.value - 1;
}

/* Of a mark that is awaited. */
static inline int pp_mark_waiter(struct pp_mark mark)
{
    return (int)(-1 - mark.value);
}

/* --- the walk's state --------------------------------------------------------------
 */

/* A rank's place. Its next ops are copied out in blocks: the ops of a thousand ranks
 * often begin a power of two apart, all in the same sets of the cache, and would drive
 * each other out between one visit and the next. The copies lie side by side. */
enum { PP_WALK_BLOCK = 8 };

struct pp_walk_rank {
    size_t next, end; /* its next op, and the end of its ops, indices into ops */
    struct pp_op ops[PP_WALK_BLOCK + 1]; /* a copy of the block around next, and the op
                                          * after it: the second of a joined pair */
};

struct pp_walk {
    const struct pp_schedule *schedule;
    struct pp_walk_rank *ranks; /* [ranks] */
    struct pp_mark *marks;      /* [pp_walk_rows][row] of all outputs */
    size_t row;                 /* >= microbatches, see pp_walk_init */
    int *runnable;              /* [ranks] stack */
};

/* What is visited: one op, or a joined pair. */
struct pp_walk_visit {
    const struct pp_op *op; /* [count] */
    size_t index;           /* of the first, into the schedule's ops */
    int count;              /* how many start together: 2 for a joined pair */
    int rank;
    int64_t input[2]; /* [count] when their inputs were released; 0 where none is
                       * needed */
};

/* PP_ENVIRONMENT when out of memory. */
int pp_walk_init(struct pp_walk *walk, const struct pp_schedule *schedule,
                 struct pp_error *error);
void pp_walk_release(struct pp_walk *walk);

/* --- dependencies ------------------------------------------------------------------
 */

/* The op whose output this one needs from another stage; false if it needs none.
 * Whether the backward one is a B or an I is for that stage's rank to know: I stands
 * for both. */
static inline bool pp_producer(const struct pp_schedule *schedule, struct pp_op op,
                               struct pp_op *producer)
{
    *producer = op;
    producer->joined = 0;
    if (op.kind == PP_F && op.stage == 0 && schedule->after) {
        int after = schedule->after[op.microbatch];
        producer->stage = (uint32_t)schedule->stages - 1;
        producer->microbatch = (uint32_t)after & (PP_MAX_MICROBATCHES - 1);
        return after >= 0;
    }
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
    if (op.kind == PP_F && (int)op.stage == schedule->stages - 1 && schedule->then) {
        int then = schedule->then[op.microbatch];
        consumer->stage = 0;
        consumer->microbatch = (uint32_t)then & (PP_MAX_MICROBATCHES - 1);
        return then >= 0;
    }
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

/* --- where the marks are ---------------------------------------------------------- */

/* A row of marks holds one stage's outputs of one direction, by microbatch. Each
 * direction has a row more than there are stages, so that every op has an input and an
 * output, and none needs a test: the input of the first F and of the last B is in a row
 * that pp_walk_init marks as released at time 0; the output of the last F and of the
 * first B goes to a row that nobody reads. With S stages:
 *
 *     row 0            input of F(0, ·), released from the start
 *     row 1 + s        output of F(s, ·), = input of F(s+1, ·)       s = 0 .. S-1
 *     row S + 1 + s    output of B or I(s, ·), = input of B or I(s-1, ·)
 *     row 2S + 1       input of B or I(S-1, ·), released from the start
 *     row 2S + 2       output of W, which no other stage needs; W's input is row 0
 *
 * In decoding, row 0 is the feedback: of F(0, i), released from the start only where it
 * needs no tokens; else the output of F(S-1, after[i]) goes there. */
static inline size_t pp_walk_rows(const struct pp_schedule *schedule)
{
    return 2 * (size_t)schedule->stages + 3;
}

/* The row that an op's input is in. */
static inline size_t pp_walk_from(const struct pp_schedule *schedule, struct pp_op op)
{
    size_t first = op.kind == PP_F ? 0 : (size_t)schedule->stages + 2;
    return op.kind == PP_W ? 0 : first + op.stage;
}

/* The row that its output goes to, but for what feedback makes of row S. */
static inline size_t pp_walk_to(const struct pp_schedule *schedule, struct pp_op op)
{
    size_t first = op.kind == PP_F ? 1 : (size_t)schedule->stages + 1;
    return op.kind == PP_W ? pp_walk_rows(schedule) - 1 : first + op.stage;
}

/* Where its output is found: a row, and in it the consumer's microbatch; in training
 * its own row and microbatch. */
struct pp_walk_place {
    size_t row, microbatch;
};

static inline struct pp_walk_place pp_walk_found(const struct pp_schedule *schedule,
                                                 struct pp_op op)
{
    size_t row = pp_walk_to(schedule, op);
    if (schedule->then && row == (size_t)schedule->stages &&
        schedule->then[op.microbatch] >= 0)
        return (struct pp_walk_place){0, (size_t)schedule->then[op.microbatch]};
    return (struct pp_walk_place){row, op.microbatch};
}

static inline struct pp_mark *pp_walk_input(const struct pp_walk *walk, struct pp_op op)
{
    size_t row = pp_walk_from(walk->schedule, op);
    return &walk->marks[row * walk->row + op.microbatch];
}

static inline struct pp_mark *pp_walk_output(const struct pp_walk *walk,
                                             struct pp_op op, bool decodes)
{
    struct pp_walk_place to = {pp_walk_to(walk->schedule, op), op.microbatch};
    if (decodes)
        to = pp_walk_found(walk->schedule, op);
    return &walk->marks[to.row * walk->row + to.microbatch];
}

/* --- walking -----------------------------------------------------------------------
 */

/* How far ahead of a visit the memory of later ones is asked for, in ops of the same
 * rank: far enough for it to arrive, near enough for it to be still there. */
enum { PP_WALK_AHEAD = 4 };

/* Copies the block that the rank's next op stands in, and prefetches the one that will
 * be copied after the next. */
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

/* Finds the rank's next op, or joined pair, with the times of its inputs. Returns
 * whether it can run; if not, the rank is noted with the first input that it lacks. */
static inline bool pp_walk_next(const struct pp_walk *walk,
                                const struct pp_walk_rank *rank,
                                struct pp_walk_visit *at)
{
    at->index = rank->next;
    at->op = &rank->ops[at->index % PP_WALK_BLOCK];
    at->count = at->op->joined && at->index + 1 < rank->end ? 2 : 1;
    for (int k = 0; k < at->count; k++) {
        struct pp_mark *input = pp_walk_input(walk, at->op[k]);
        if (!pp_is_released(*input)) {
            *input = pp_mark_awaited(at->rank);
            return false;
        }
        at->input[k] = pp_mark_time(*input);
    }
    return true;
}

/* Returns the time >= 0 at which the outputs are released. */
typedef int64_t pp_walk_visitor(void *data, const struct pp_walk_visit *at);

/* Visits: inlined into both loops, with what the visitor calls. */
#define PP_WALK_INLINE static inline __attribute__((always_inline))

PP_WALK_INLINE size_t pp_walk_loop(struct pp_walk *walk, pp_walk_visitor *visit,
                                   void *data, bool decodes)
{
    size_t visited = 0;
    int runnable = 0;
    /* Rank 0 on top: in most schedules it is the only one that can start. */
    for (int r = walk->schedule->ranks - 1; r >= 0; r--)
        walk->runnable[runnable++] = r;

    while (runnable > 0) {
        struct pp_walk_visit at = {.rank = walk->runnable[--runnable]};
        struct pp_walk_rank *rank = &walk->ranks[at.rank];
        while (rank->next < rank->end && pp_walk_next(walk, rank, &at)) {
            struct pp_mark released = pp_mark_released(visit(data, &at));
            for (int k = 0; k < at.count; k++) {
                struct pp_mark *output = pp_walk_output(walk, at.op[k], decodes);
                if (pp_is_awaited(*output))
                    walk->runnable[runnable++] = pp_mark_waiter(*output);
                *output = released;
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

/* Visits all ops that can run, each when its inputs are released. Returns the number of
 * ops visited: all of them, unless executing the schedule blocks; then ranks says where
 * each one stopped. */
PP_WALK_INLINE size_t pp_walk(struct pp_walk *walk, pp_walk_visitor *visit, void *data)
{
    return pp_decodes(walk->schedule) ? pp_walk_loop(walk, visit, data, true)
                                      : pp_walk_loop(walk, visit, data, false);
}

#endif
