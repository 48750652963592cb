#include "schedule/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "schedule/walk.h"

struct checker {
    const struct pp_schedule *schedule;
    const char *called;  /* by messages */
    unsigned char *seen; /* [stages][microbatches] bit per kind: 1 << enum pp_kind */
    int *latest;         /* [stages][groups] the group's last microbatch, 1 + it; NULL
                          * in training */
    bool hinted;         /* the old dialect has been explained */
    struct pp_error *error;
};

static bool full(const struct checker *checker)
{
    return checker->error->lines >= PP_MOST_PROBLEMS;
}

/* "rank 2, op 5 (3F1)", or cell 5 of a file's row. Counts from 1. */
enum { PLACE = 128 };
static const char *where(const struct pp_schedule *schedule, int rank, size_t k,
                         char buffer[PLACE])
{
    char op[PP_OP_TEXT];
    bool file = schedule->cell != NULL;
    size_t position = file ? schedule->cell[k] : k - schedule->first[rank];
    pp_assign(buffer, PLACE, "rank %d, %s %zu (%s)", rank, file ? "cell" : "op",
              position + 1, pp_op_text(schedule->ops[k], op));
    return buffer;
}

/* Why the op may not stand here, given what its stage has done with its microbatch
 * before; NULL if it may. */
static const char *misplaced(enum pp_kind kind, unsigned seen)
{
    const unsigned f = 1u << PP_F, b = 1u << PP_B, i = 1u << PP_I, w = 1u << PP_W;
    if (seen & 1u << kind)
        return "appears twice: each op runs once";
    switch (kind) {
    case PP_F:
        return seen & (b | i | w) ? "a forward must come before its backward" : NULL;
    case PP_B:
        if (seen & (i | w))
            return "a whole backward beside an I or W: use either B, or I then W";
        break;
    case PP_I:
        if (seen & b)
            return "an I after a whole backward: use either B, or I then W";
        break;
    case PP_W:
        if (seen & b)
            return "a W after a whole backward: use either B, or I then W";
        if (!(seen & i))
            return "a W must come after its I on the same rank";
        return NULL;
    }
    return seen & f ? NULL : "a backward must come after its F on the same rank";
}

/* May the two run as one, neither waiting for the other? */
static bool makes_pair(struct pp_op a, struct pp_op b)
{
    bool both_ways = a.kind == PP_F ? pp_is_backward(b.kind)
                                    : pp_is_backward(a.kind) && b.kind == PP_F;
    return both_ways && (a.stage != b.stage || a.microbatch != b.microbatch);
}

/* Why the op may not stand here in a schedule that decodes; NULL if it may. */
static const char *misplaced_decoding(struct checker *checker, struct pp_op op,
                                      unsigned seen)
{
    const struct pp_schedule *schedule = checker->schedule;
    if (op.kind != PP_F || op.joined)
        return "a schedule that decodes has forwards alone";
    if (seen & 1u << PP_F)
        return "appears twice: each op runs once";
    int group = schedule->group_of[op.microbatch];
    int *latest =
        &checker->latest[(size_t)op.stage * (size_t)schedule->groups + (size_t)group];
    bool ascends = *latest <= (int)op.microbatch;
    *latest = (int)op.microbatch + 1;
    return ascends ? NULL
                   : "comes after a later microbatch of its group: those of one group "
                     "ascend on each stage";
}

static void check_op(struct checker *checker, int rank, size_t k)
{
    const struct pp_schedule *schedule = checker->schedule;
    struct pp_op op = schedule->ops[k];
    char place[PLACE];
    if ((int)op.stage >= schedule->stages) {
        pp_fail_also(checker->error, PP_BAD_INPUT,
                     "'%s', %s: no such stage: they are 0 to %d", checker->called,
                     where(schedule, rank, k, place), schedule->stages - 1);
        return;
    }
    if ((int)op.microbatch >= schedule->microbatches) {
        pp_fail_also(checker->error, PP_BAD_INPUT,
                     "'%s', %s: no such microbatch: they are 0 to %d", checker->called,
                     where(schedule, rank, k, place), schedule->microbatches - 1);
        return;
    }
    if (pp_op_rank(schedule, op) != rank) {
        pp_fail_also(checker->error, PP_BAD_INPUT, "'%s', %s: stage %u is on rank %d%s",
                     checker->called, where(schedule, rank, k, place), op.stage,
                     pp_op_rank(schedule, op),
                     schedule->copies > 1 ? " in the weight copy of this microbatch"
                                          : "");
        return;
    }
    if (op.joined && !pp_decodes(schedule)) {
        size_t end = schedule->first[rank + 1];
        bool paired = k + 1 < end && !schedule->ops[k + 1].joined &&
                      makes_pair(op, schedule->ops[k + 1]);
        if (!paired)
            pp_fail_also(
                checker->error, PP_BAD_INPUT,
                "'%s', %s: an overlapped pair is a forward and a backward (B or I) "
                "that do not need each other",
                checker->called, where(schedule, rank, k, place));
    }
    unsigned char *seen =
        &checker
             ->seen[(size_t)op.stage * (size_t)schedule->microbatches + op.microbatch];
    const char *problem = pp_decodes(schedule) ? misplaced_decoding(checker, op, *seen)
                                               : misplaced(op.kind, *seen);
    /* In a file of the old dialect every W has this problem: once is enough. */
    bool old = op.kind == PP_W && *seen & 1u << PP_B;
    if (problem && !(old && checker->hinted))
        pp_fail_also(checker->error, PP_BAD_INPUT, "'%s', %s: %s%s", checker->called,
                     where(schedule, rank, k, place), problem,
                     old ? " (files from before October 2024 write B for I and BW for "
                           "B: rename them)"
                         : "");
    checker->hinted |= old;
    *seen |= (unsigned char)(1u << op.kind);
}

/* What is wrong with a microbatch of a schedule that decodes, and with which other one;
 * NULL where nothing is. */
static const char *wrong_feedback(const struct pp_schedule *schedule, int i, int *other)
{
    int after = *other = schedule->after[i];
    if (after < -1 || after >= schedule->microbatches)
        return "begins with the tokens of a microbatch that is not there:";
    if (after == i)
        return "begins with its own tokens: of an earlier one, not of";
    if (after >= 0 && schedule->then[after] != i)
        return "is not the only one that begins with the tokens of";
    *other = schedule->group_of[i];
    if (*other < 0 || *other >= schedule->microbatches)
        return "has a group that is not from 0 to the number of microbatches - 1:";
    *other = schedule->class_of[i];
    if (*other < 0 || *other >= schedule->class_count)
        return "has a class that is not there:";
    return NULL;
}

static bool is_class(const struct pp_class *class)
{
    return class->rows >= 1 && (strcmp(class->label, pp_prefill) == 0 ||
                                strcmp(class->label, pp_decode) == 0);
}

static void check_decoding(struct checker *checker)
{
    const struct pp_schedule *schedule = checker->schedule;
    for (int c = 0; c < schedule->class_count; c++) {
        if (!is_class(&schedule->classes[c]))
            pp_fail_also(checker->error, PP_BAD_INPUT,
                         "'%s': class %d is '%.15s' of %d rows: want 'prefill' or "
                         "'decode' of at least 1",
                         checker->called, c, schedule->classes[c].label,
                         schedule->classes[c].rows);
    }
    if (schedule->copies > 1)
        pp_fail_also(checker->error, PP_BAD_INPUT,
                     "'%s': a schedule that decodes has one copy of the weights, not "
                     "%d",
                     checker->called, schedule->copies);
    for (int i = 0; i < schedule->microbatches && !full(checker); i++) {
        int other;
        const char *wrong = wrong_feedback(schedule, i, &other);
        if (wrong)
            pp_fail_also(checker->error, PP_BAD_INPUT, "'%s': microbatch %d %s %d",
                         checker->called, i, wrong, other);
    }
}

static void check_missing(struct checker *checker)
{
    const struct pp_schedule *schedule = checker->schedule;
    for (int s = 0; s < schedule->stages; s++) {
        for (int i = 0; i < schedule->microbatches && !full(checker); i++) {
            unsigned seen =
                checker->seen[(size_t)s * (size_t)schedule->microbatches + (size_t)i];
            const char *missing = NULL;
            if (!(seen & 1u << PP_F))
                missing = "F";
            else if (pp_decodes(schedule))
                continue;
            else if (!(seen & (1u << PP_B | 1u << PP_I)))
                missing = "B, or I and W,";
            else if (seen & 1u << PP_I && !(seen & 1u << PP_W))
                missing = "W";
            int copy = pp_copy_of(schedule, (uint32_t)i);
            int rank = schedule->rank_of[pp_place(schedule, copy, s)];
            if (missing)
                pp_fail_also(checker->error, PP_BAD_INPUT,
                             "'%s', rank %d: the %s of stage %d, microbatch %d is "
                             "missing",
                             checker->called, rank, missing, s, i);
            pp_error_about_row(checker->error, rank + 1);
        }
    }
}

/* The op that a blocked rank cannot start: the second of a pair where the first has
 * what it needs. */
static size_t blocked_op(const struct pp_walk *walk, int rank)
{
    size_t k = walk->ranks[rank].next;
    struct pp_op op = walk->schedule->ops[k];
    return op.joined && pp_is_released(*pp_walk_input(walk, op)) ? k + 1 : k;
}

/* The op that it waits for. */
static struct pp_op waited_for(const struct pp_walk *walk, int rank)
{
    struct pp_op producer;
    pp_producer(walk->schedule, walk->schedule->ops[blocked_op(walk, rank)], &producer);
    return producer;
}

/* Follows the waits from a blocked rank until they close, and reports that cycle. */
static void report_cycle(const struct pp_walk *walk, const char *called,
                         struct pp_error *error)
{
    const struct pp_schedule *schedule = walk->schedule;
    int rank = 0;
    while (walk->ranks[rank].next == walk->ranks[rank].end)
        rank++;
    /* Every wait leads to another blocked rank, so after as many steps as there are
     * ranks we stand on the cycle. */
    for (int step = 0; step < schedule->ranks; step++)
        rank = pp_op_rank(schedule, waited_for(walk, rank));

    pp_fail_also(error, PP_BAD_INPUT,
                 "'%s' blocks: these ranks wait in a cycle:", called);
    int start = rank;
    do {
        if (error->lines == PP_MOST_PROBLEMS - 1) {
            pp_fail_also(error, PP_BAD_INPUT, "and so on, from rank %d back to rank %d",
                         rank, start);
            return;
        }
        struct pp_op needed = waited_for(walk, rank);
        int other = pp_op_rank(schedule, needed);
        size_t k = blocked_op(walk, rank);
        bool feedback = pp_decodes(schedule) && schedule->ops[k].stage == 0;
        char place[PLACE];
        pp_fail_also(error, PP_BAD_INPUT,
                     "'%s', %s: waits for %s%s of stage %u, microbatch %u, which comes "
                     "later on rank %d",
                     called, where(schedule, rank, k, place),
                     feedback ? "the tokens that it begins with, from " : "",
                     needed.kind == PP_F ? "the forward" : "the backward", needed.stage,
                     needed.microbatch, other);
        pp_error_about_row(error, rank + 1);
        rank = other;
    } while (rank != start);
}

static int64_t visit_nothing(void *data, const struct pp_walk_visit *at)
{
    (void)data, (void)at;
    return 0;
}

int pp_verify_order(const struct pp_schedule *schedule, const char *called,
                    struct pp_error *error)
{
    struct pp_walk walk;
    if (pp_walk_init(&walk, schedule, error) != 0)
        return -1;
    bool blocks = pp_walk(&walk, visit_nothing, NULL) != pp_schedule_ops(schedule);
    if (blocks)
        report_cycle(&walk, called, error);
    pp_walk_release(&walk);
    return blocks ? -1 : 0;
}

int pp_verify_ops(const struct pp_schedule *schedule, const char *called,
                  struct pp_error *error)
{
    *error = (struct pp_error){0};
    size_t stages = (size_t)schedule->stages;
    struct checker checker = {.schedule = schedule, .called = called, .error = error};
    if (pp_decodes(schedule))
        check_decoding(&checker);
    if (error->lines > 0)
        return -1; /* nothing of it may serve as an index */
    checker.seen = calloc(stages, (size_t)schedule->microbatches);
    if (pp_decodes(schedule))
        checker.latest =
            calloc(stages, (size_t)schedule->groups * sizeof *checker.latest);
    if (!checker.seen || (pp_decodes(schedule) && !checker.latest)) {
        free(checker.seen);
        free(checker.latest);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to verify '%s'", called);
    }
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            if (full(&checker))
                break;
            check_op(&checker, r, k);
            pp_error_about_row(error, r + 1);
        }
    }
    check_missing(&checker);
    free(checker.seen);
    free(checker.latest);
    return error->lines > 0 ? -1 : 0;
}

int pp_verify(const struct pp_schedule *schedule, const char *called,
              struct pp_error *error)
{
    if (pp_verify_ops(schedule, called, error) != 0)
        return -1;
    return pp_verify_order(schedule, called, error);
}
