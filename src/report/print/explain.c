#include "report/print/explain.h"

#include <math.h>

#include "base/words.h"
#include "report/differences.h"
#include "report/numbers.h"
#include "timeline/gap.h"

enum { GAPS_PER_RANK = 3, MOST_RANKS = 16 };

/* What the functions below print from. */
struct story {
    const struct pp_report *report;
    FILE *stream;
    struct pp_producers producers;
    struct pp_path path;
    struct pp_reasons reasons;
    struct pp_critical critical;
};

static double percent(const struct story *story, int64_t ns)
{
    return 100 * (double)ns / (double)story->report->metrics.makespan;
}

static void print_speedup(const struct story *story, const struct pp_speedup *speedup)
{
    const struct pp_schedule *schedule = &story->report->schedule;
    char text[PP_DURATION_TEXT], ranks[64] = "";
    double ns = 1e9 * speedup->saves_s;
    if (!speedup->known)
        return;
    for (int c = 0; c < schedule->copies; c++)
        pp_append(ranks, sizeof ranks, "%s%d", c > 0 ? ", " : "",
                  schedule->rank_of[pp_place(schedule, c, speedup->stage)]);
    if (speedup->saves_s <= 0)
        fputs("  no single stage limits the step: other paths are as long\n",
              story->stream);
    else
        fprintf(
            story->stream,
            "  %s of stage %d (rank%s %s) limits the step most: 10%% faster, it would "
            "save\n  %s (%.1f%%)\n",
            pp_kind_name(speedup->kind), speedup->stage,
            schedule->copies > 1 ? "s" : "", ranks, pp_duration_text(ns, text),
            percent(story, llround(ns)));
}

static void print_path(const struct story *story, const struct pp_speedup *speedup)
{
    const struct pp_critical *critical = &story->critical;
    const struct pp_report *report = story->report;
    FILE *stream = story->stream;
    char text[PP_DURATION_TEXT];
    fprintf(
        stream,
        "critical path: %zu ops, and the waits between them, make up the step of %s\n",
        critical->count, pp_duration_text((double)report->metrics.makespan, text));
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        if (critical->busy[kind] > 0)
            fprintf(stream, "  %5.1f%%  %s  %s\n", percent(story, critical->busy[kind]),
                    pp_duration_text((double)critical->busy[kind], text),
                    pp_kind_name(kind));
    }
    if (critical->hops > 0)
        fprintf(stream, "  %5.1f%%  %s  messages in transit\n",
                percent(story, critical->hops),
                pp_duration_text((double)critical->hops, text));
    if (critical->overhead > 0)
        fprintf(stream, "  %5.1f%%  %s  overhead between ops\n",
                percent(story, critical->overhead),
                pp_duration_text((double)critical->overhead, text));
    fputs("  ops by rank:", stream);
    for (int r = 0; r < report->schedule.ranks && r < MOST_RANKS; r++)
        fprintf(stream, " %d: %.1f%%", r, percent(story, critical->of_rank[r]));
    fputs(report->schedule.ranks > MOST_RANKS ? " ..\n" : "\n", stream);

    if (speedup)
        print_speedup(story, speedup);
    struct pp_slowest slowest = pp_slowest_rank(report);
    if (slowest.above_mean > 0.01)
        fprintf(stream,
                "  rank %d is the slowest: %s per microbatch, %.1f%% above the mean\n",
                slowest.rank, pp_duration_text(slowest.ns, text),
                100 * slowest.above_mean);
    char share[PP_SHARE_TEXT];
    if (pp_core_share_text(report, share)[0])
        fprintf(stream, "  %s: ops took longer than they need\n", share);
}

/* "2.00 ms dependency", for the causes that there are. */
static void print_parts(const struct story *story, const struct pp_gap *gap)
{
    const struct {
        int64_t ns;
        const char *name;
    } parts[] = {{gap->wait.dependency, "dependency"},
                 {gap->wait.communication, "communication"},
                 {gap->wait.overhead, "overhead"}};
    char text[PP_DURATION_TEXT];
    int printed = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i].ns > 0)
            fprintf(story->stream, "%s%s %s", printed++ > 0 ? ", " : "",
                    pp_duration_text((double)parts[i].ns, text), parts[i].name);
    }
}

/* "rank 1 ran 1F0 and 1B0" */
static void print_ran(const struct story *story, const struct pp_part *part)
{
    const struct pp_op *ops = story->report->schedule.ops;
    char first[PP_OP_TEXT], last[PP_OP_TEXT];
    pp_op_text(ops[part->first], first);
    pp_op_text(ops[part->last], last);
    if (part->ranks > 1)
        fprintf(story->stream, "%zu ops ran on %d ranks, %s to %s", part->count,
                part->ranks, first, last);
    else if (part->count > 2)
        fprintf(story->stream, "rank %d ran %zu ops, %s to %s", part->rank, part->count,
                first, last);
    else
        fprintf(story->stream, "rank %d ran %s%s%s", part->rank, first,
                part->count == 2 ? " and " : "", part->count == 2 ? last : "");
}

static void print_sent(const struct story *story, const struct pp_part *part,
                       int64_t op)
{
    char text[PP_OP_TEXT];
    if (part->count > 1)
        fprintf(story->stream, "%zu messages were in transit", part->count);
    else if (part->last == op)
        fputs("its message was in transit", story->stream);
    else
        fprintf(story->stream, "the message for %s was in transit",
                pp_op_text(story->report->schedule.ops[part->last], text));
}

static void print_late(const struct story *story, const struct pp_part *part,
                       int64_t op)
{
    char text[PP_OP_TEXT];
    if (part->ranks > 1)
        fprintf(story->stream, "%d ranks started %zu ops late", part->ranks,
                part->count);
    else if (part->count > 1)
        fprintf(story->stream, "rank %d started %zu ops late", part->rank, part->count);
    else if (part->last == op)
        fputs("its input had arrived and the rank started late", story->stream);
    else
        fprintf(story->stream, "rank %d started %s late", part->rank,
                pp_op_text(story->report->schedule.ops[part->last], text));
}

/* What happened during the gap, with its share of it. */
static void print_reason(struct story *story, const struct pp_gap *gap)
{
    struct pp_part parts[PP_REASON_PARTS];
    int64_t length = story->report->timeline.spans[gap->op].start - gap->from;
    int count = pp_gap_reason(&story->reasons, gap, parts);
    for (int i = 0; i < count; i++) {
        fputs(i == 0 ? "while " : ", ", story->stream);
        if (parts[i].kind == PP_RAN)
            print_ran(story, &parts[i]);
        else if (parts[i].kind == PP_SENT)
            print_sent(story, &parts[i], gap->op);
        else
            print_late(story, &parts[i], gap->op);
        fprintf(story->stream, " (%.0f%%)", 100 * (double)parts[i].ns / (double)length);
    }
}

static void print_rank(struct story *story, int r)
{
    const struct pp_report *report = story->report;
    const struct pp_rank_metrics *rank = &report->metrics.of_rank[r];
    struct pp_gap gaps[GAPS_PER_RANK];
    char text[PP_DURATION_TEXT], op[PP_OP_TEXT];
    fprintf(story->stream, "rank %d: idle %s (%.1f%%)", r,
            pp_duration_text((double)rank->idle, text), percent(story, rank->idle));
    if (rank->causes.cooldown > 0)
        fprintf(story->stream, ", of that %s after its last op",
                pp_duration_text((double)rank->causes.cooldown, text));
    fputc('\n', story->stream);
    int count = pp_longest_gaps(&story->path, r, GAPS_PER_RANK, gaps);
    for (int i = 0; i < count; i++) {
        const struct pp_gap *gap = &gaps[i];
        fprintf(
            story->stream,
            "  before %s, from %s on: ", pp_op_text(report->schedule.ops[gap->op], op),
            gap->from == report->metrics.start
                ? "the start"
                : pp_duration_text((double)(gap->from - report->metrics.start), text));
        print_parts(story, gap);
        fputs("\n    ", story->stream);
        print_reason(story, gap);
        fputc('\n', story->stream);
    }
}

int pp_report_print_explain(const struct pp_report *report,
                            const struct pp_speedup *speedup, FILE *stream,
                            struct pp_error *error)
{
    struct story story = {.report = report, .stream = stream};
    if (pp_report_need_timeline(report, error) != 0 ||
        pp_producers_init(&story.producers, &report->schedule, error) != 0)
        return -1;
    story.path =
        (struct pp_path){&report->timeline, &report->metrics, &story.producers};
    int result = pp_reasons_init(&story.reasons, &story.path, error);
    if (result == 0)
        result = pp_critical_init(&story.critical, &report->timeline, &report->metrics,
                                  &story.producers, error);
    if (result == 0) {
        print_path(&story, speedup);
        for (int r = 0; r < report->schedule.ranks && r < MOST_RANKS; r++)
            print_rank(&story, r);
        if (report->schedule.ranks > MOST_RANKS)
            fprintf(stream, "(%d more ranks are not shown)\n",
                    report->schedule.ranks - MOST_RANKS);
    }
    pp_critical_release(&story.critical);
    pp_reasons_release(&story.reasons);
    pp_producers_release(&story.producers);
    return result;
}
