#include "report/gate/where.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/words.h"
#include "report/numbers.h"

/* What an op adds to its rank's time. */
struct part {
    int64_t wait, own;
};

static struct part part_of(const struct pp_report *report, int rank, size_t k)
{
    const struct pp_span *spans = report->timeline.spans;
    int64_t from =
        k == report->schedule.first[rank] ? report->metrics.start : spans[k - 1].end;
    /* The second of an overlapped pair may begin before the first has ended. */
    int64_t start = spans[k].start < from ? from : spans[k].start;
    return (struct part){start - from, spans[k].end - start};
}

static size_t key_of(const struct pp_schedule *schedule, struct pp_op op)
{
    return ((size_t)op.kind * (size_t)schedule->stages + op.stage) *
               (size_t)schedule->microbatches +
           op.microbatch;
}

/* The parts of all ops, by kind, stage and microbatch; own is -1 where the report has
 * no such op. The caller frees it; NULL when out of memory. */
static struct part *list_parts(const struct pp_report *report)
{
    const struct pp_schedule *schedule = &report->schedule;
    size_t count = PP_KINDS * (size_t)schedule->stages * (size_t)schedule->microbatches;
    struct part *parts = malloc(count * sizeof *parts);
    for (size_t i = 0; parts && i < count; i++)
        parts[i] = (struct part){0, -1};
    for (int r = 0; parts && r < schedule->ranks; r++) {
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++)
            parts[key_of(schedule, schedule->ops[k])] = part_of(report, r, k);
    }
    return parts;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* "1B3 (backward of stage 1 on microbatch 3)" */
enum { OP_TEXT = 96 };
static const char *op_text(struct pp_op op, char text[OP_TEXT])
{
    char name[PP_OP_TEXT];
    pp_assign(text, OP_TEXT, "%s (%s of stage %u on microbatch %u)",
              pp_op_text(op, name), pp_kind_name(op.kind), op.stage,
              (unsigned)op.microbatch);
    return text;
}

static void describe_op(struct pp_where *where, struct pp_op op, struct part was,
                        struct part is)
{
    char name[OP_TEXT], before[PP_DURATION_TEXT], after[PP_DURATION_TEXT];
    bool own = distance(was.own, is.own) > distance(was.wait, is.wait);
    pp_duration_text((double)(own ? was.own : was.wait), before);
    pp_duration_text((double)(own ? is.own : is.wait), after);
    pp_append(where->text, sizeof where->text,
              "%srank %d changed most at %s: it %s %s, in the baseline %s",
              where->text[0] ? "; " : "", where->rank, op_text(op, name),
              own ? "took" : "waited", after, before);
}

static void find_op(struct pp_where *where, const struct pp_report *after,
                    const struct part *parts)
{
    const struct pp_schedule *schedule = &after->schedule;
    int64_t most = 0;
    struct part was = {0}, is = {0};
    struct pp_op op = {0};
    for (int r = 0; r < schedule->ranks; r++) {
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            struct part now = part_of(after, r, k);
            struct part then = parts[key_of(schedule, schedule->ops[k])];
            /* list_parts sets each. NOLINTNEXTLINE(clang-analyzer-core.*) */
            int64_t change = distance(now.wait + now.own, then.wait + then.own);
            if (then.own < 0 || change <= most)
                continue;
            most = change;
            where->rank = r;
            op = schedule->ops[k];
            was = then;
            is = now;
        }
    }
    if (most > 0)
        describe_op(where, op, was, is);
}

static bool same_op(struct pp_op a, struct pp_op b)
{
    return a.kind == b.kind && a.stage == b.stage && a.microbatch == b.microbatch &&
           a.joined == b.joined;
}

/* The first op of a rank that differs; count where none does. */
static size_t first_change(const struct pp_op *was, const struct pp_op *is,
                           size_t count)
{
    size_t k = 0;
    while (k < count && same_op(was[k], is[k]))
        k++;
    return k;
}

int pp_where_reordered(const struct pp_report *before, const struct pp_report *after,
                       const char *then, char *text, size_t size)
{
    const struct pp_schedule *old = &before->schedule, *now = &after->schedule;
    char is[OP_TEXT], was[PP_OP_TEXT];
    if (!before->timeline.spans || !after->timeline.spans)
        return -1;
    for (int r = 0; r < now->ranks; r++) {
        const struct pp_op *then_ops = old->ops + old->first[r];
        const struct pp_op *now_ops = now->ops + now->first[r];
        size_t count = now->first[r + 1] - now->first[r];
        size_t old_count = old->first[r + 1] - old->first[r];
        if (count != old_count) {
            pp_assign(text, size, "rank %d has %zu ops, %s %zu", r, count, then,
                      old_count);
            return r;
        }
        size_t k = first_change(then_ops, now_ops, count);
        if (k == count)
            continue;
        pp_assign(text, size,
                  "the order differs from rank %d's op %zu on: it is %s, %s %s", r,
                  k + 1, op_text(now_ops[k], is), then, pp_op_text(then_ops[k], was));
        return r;
    }
    return -1;
}

static void find_rank(struct pp_where *where, const struct pp_metrics *before,
                      const struct pp_metrics *after)
{
    char was[PP_DURATION_TEXT], is[PP_DURATION_TEXT];
    int64_t most = 0;
    for (int r = 0; r < after->ranks; r++) {
        int64_t change = distance(before->of_rank[r].idle, after->of_rank[r].idle);
        if (change > most) {
            most = change;
            where->rank = r;
        }
    }
    if (most == 0)
        return;
    pp_duration_text((double)before->of_rank[where->rank].idle, was);
    pp_duration_text((double)after->of_rank[where->rank].idle, is);
    pp_assign(where->text, sizeof where->text,
              "rank %d changed most: idle %s, in the baseline %s (its op is unknown: "
              "not both reports hold a timeline)",
              where->rank, is, was);
}

int pp_where_changed(struct pp_where *where, const struct pp_report *before,
                     const struct pp_report *after, struct pp_error *error)
{
    *where = (struct pp_where){.rank = -1, .reordered = -1};
    if (!before->timeline.spans || !after->timeline.spans) {
        find_rank(where, &before->metrics, &after->metrics);
        return 0;
    }
    struct part *parts = list_parts(before);
    if (!parts)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to compare the timelines");
    where->reordered = pp_where_reordered(before, after, "in the baseline", where->text,
                                          sizeof where->text);
    where->rank = where->reordered;
    find_op(where, after, parts);
    free(parts);
    return 0;
}
