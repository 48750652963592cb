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

/* The first rank whose order differs, and its first op that does. */
static void find_order(struct pp_where *where, const struct pp_schedule *before,
                       const struct pp_schedule *after)
{
    for (int r = 0; r < after->ranks; r++) {
        size_t count = after->first[r + 1] - after->first[r];
        const struct pp_op *was = before->ops + before->first[r];
        const struct pp_op *is = after->ops + after->first[r];
        size_t k = 0;
        bool same_count = count == before->first[r + 1] - before->first[r];
        while (same_count && k < count && same_op(was[k], is[k]))
            k++;
        if (k == count)
            continue;
        char now[OP_TEXT], then[PP_OP_TEXT];
        where->rank = r;
        if (same_count)
            pp_append(where->text, sizeof where->text,
                      "the order differs from rank %d's op %zu on: it is %s, in the "
                      "baseline %s",
                      r, k + 1, op_text(is[k], now), pp_op_text(was[k], then));
        else
            pp_append(where->text, sizeof where->text,
                      "rank %d has %zu ops, in the baseline %zu", r, count,
                      before->first[r + 1] - before->first[r]);
        return;
    }
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
    *where = (struct pp_where){.rank = -1};
    if (!before->timeline.spans || !after->timeline.spans) {
        find_rank(where, &before->metrics, &after->metrics);
        return 0;
    }
    struct part *parts = list_parts(before);
    if (!parts)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory to compare the timelines");
    find_order(where, &before->schedule, &after->schedule);
    find_op(where, after, parts);
    free(parts);
    return 0;
}
