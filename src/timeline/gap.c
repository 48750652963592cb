#include "timeline/gap.h"

#include <stdlib.h>
#include <string.h>

int pp_longest_gaps(const struct pp_path *path, int rank, int most, struct pp_gap *gaps)
{
    const struct pp_schedule *schedule = path->timeline->schedule;
    const struct pp_span *spans = path->timeline->spans;
    int count = 0;
    for (size_t k = schedule->first[rank]; k < schedule->first[rank + 1]; k++) {
        int64_t from = pp_free_from(path, (int64_t)k), length = spans[k].start - from;
        if (length <= 0)
            continue;
        int place = count;
        while (place > 0 &&
               length > spans[gaps[place - 1].op].start - gaps[place - 1].from)
            place--;
        if (place == most)
            continue;
        if (count < most)
            count++;
        for (int i = count - 1; i > place; i--)
            gaps[i] = gaps[i - 1];
        gaps[place] = (struct pp_gap){
            .op = (int64_t)k,
            .from = from,
            .wait = pp_wait_before(path->timeline, k, from),
        };
    }
    return count;
}

int pp_reasons_init(struct pp_reasons *reasons, const struct pp_path *path,
                    struct pp_error *error)
{
    size_t ranks = (size_t)path->timeline->schedule->ranks;
    reasons->path = path;
    reasons->parts = malloc(3 * ranks * sizeof *reasons->parts);
    if (!reasons->parts)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the gaps of %zu ranks",
                       ranks);
    return 0;
}

void pp_reasons_release(struct pp_reasons *reasons)
{
    free(reasons->parts);
    reasons->parts = NULL;
}

/* Adds what is for the k-th op from one time to another, as far as it is in the gap. */
static void add(struct pp_reasons *reasons, const struct pp_gap *gap,
                enum pp_part_kind kind, int64_t k, int64_t from, int64_t to)
{
    const struct pp_schedule *schedule = reasons->path->timeline->schedule;
    int rank = pp_rank_of_op(schedule, k);
    struct pp_part *part = &reasons->parts[kind * schedule->ranks + rank];
    if (from < gap->from)
        from = gap->from;
    if (to <= from)
        return;
    if (part->count++ == 0) { /* the chain is followed back in time */
        part->kind = kind;
        part->until = to;
        part->last = k;
        part->rank = rank;
        part->ranks = 1;
    }
    part->ns += to - from;
    part->first = k;
}

/* Follows the chain back through the gap. */
static void collect(struct pp_reasons *reasons, const struct pp_gap *gap)
{
    const struct pp_schedule *schedule = reasons->path->timeline->schedule;
    const struct pp_span *spans = reasons->path->timeline->spans;
    size_t ranks = (size_t)schedule->ranks, left = pp_schedule_ops(schedule);
    memset(reasons->parts, 0, 3 * ranks * sizeof *reasons->parts);
    for (int64_t k = gap->op; k != PP_NO_OP && spans[k].start > gap->from && left > 0;
         left--) {
        struct pp_path_op at;
        int64_t before = pp_step_back(reasons->path, k, &at);
        int64_t start = spans[k].start, arrived = start - at.overhead;
        add(reasons, gap, PP_LATE, k, arrived, start);
        add(reasons, gap, PP_SENT, k, arrived - at.hop, arrived);
        if (before != PP_NO_OP)
            add(reasons, gap, PP_RAN, before, spans[before].start, spans[before].end);
        k = before;
    }
}

/* The longer one, of equals the later one. */
static bool comes_before(const struct pp_part *a, const struct pp_part *b)
{
    return a->ns > b->ns || (a->ns == b->ns && a->until > b->until);
}

/* Picks the longest parts that reach the share of the length; 0 where too few may. */
static int pick(const struct pp_part *parts, int count, int64_t length,
                struct pp_part named[PP_REASON_PARTS])
{
    int64_t sum = 0;
    for (int n = 0; n < PP_REASON_PARTS; n++) {
        const struct pp_part *best = NULL;
        for (int i = 0; i < count; i++) {
            bool told = n > 0 && !comes_before(&named[n - 1], &parts[i]);
            if (parts[i].count > 0 && !told && (!best || comes_before(&parts[i], best)))
                best = &parts[i];
        }
        if (!best)
            return 0;
        named[n] = *best;
        sum += best->ns;
        if ((double)sum >= PP_REASON_SHARE * (double)length)
            return n + 1;
    }
    return 0;
}

/* The parts of one kind, of all ranks together. */
static struct pp_part sum_up(const struct pp_part *parts, int ranks)
{
    struct pp_part sum = {0};
    int64_t earliest = INT64_MAX;
    for (int r = 0; r < ranks; r++) {
        const struct pp_part *part = &parts[r];
        if (part->count == 0)
            continue;
        if (part->until > sum.until || sum.count == 0) {
            sum.kind = part->kind;
            sum.until = part->until;
            sum.last = part->last;
            sum.rank = part->rank;
        }
        if (part->until < earliest) {
            earliest = part->until;
            sum.first = part->first;
        }
        sum.ns += part->ns;
        sum.count += part->count;
        sum.ranks++;
    }
    return sum;
}

int pp_gap_reason(struct pp_reasons *reasons, const struct pp_gap *gap,
                  struct pp_part named[PP_REASON_PARTS])
{
    int ranks = reasons->path->timeline->schedule->ranks;
    int64_t length = reasons->path->timeline->spans[gap->op].start - gap->from;
    collect(reasons, gap);
    struct pp_part *sent = &reasons->parts[PP_SENT * ranks];
    struct pp_part sums[] = {sum_up(reasons->parts, ranks), sum_up(sent, ranks),
                             sum_up(reasons->parts + PP_LATE * ranks, ranks)};
    memset(sent, 0, (size_t)ranks * sizeof *sent);
    sent[0] = sums[1]; /* messages are of no rank */
    int count = pick(reasons->parts, 3 * ranks, length, named);
    return count > 0 ? count : pick(sums, 3, length, named);
}
