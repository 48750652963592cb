#include "report/print/explain.h"

#include <math.h>

#include "report/differences.h"
#include "report/numbers.h"
#include "timeline/critical.h"

enum { GAPS_PER_RANK = 3, MOST_RANKS = 16 };

/* What the printing works on. */
struct story {
    const struct pp_report *report;
    FILE *stream;
    struct pp_producers producers;
    struct pp_critical critical;
};

static double percent(const struct story *story, int64_t ns)
{
    return 100 * (double)ns / (double)story->report->metrics.makespan;
}

static void tell_speedup(const struct story *story, const struct pp_speedup *speedup)
{
    char text[PP_DURATION_TEXT];
    double ns = 1e9 * speedup->saves_s;
    if (!speedup->known)
        return;
    if (speedup->saves_s <= 0)
        fputs("  no ops of one stage would, if faster, shorten the step alone: other "
              "paths are as long\n",
              story->stream);
    else
        fprintf(
            story->stream,
            "  speeding up %s of stage %d (rank %d) would shorten the step most: 10%% "
            "faster\n  saves %s (%.1f%%)\n",
            pp_kind_name(speedup->kind), speedup->stage,
            story->report->schedule.rank_of[speedup->stage], pp_duration_text(ns, text),
            percent(story, llround(ns)));
}

static void tell_path(const struct story *story, const struct pp_speedup *speedup)
{
    const struct pp_critical *critical = &story->critical;
    const struct pp_report *report = story->report;
    FILE *stream = story->stream;
    char text[PP_DURATION_TEXT];
    fprintf(stream, "critical path: the chain of %zu ops that made the step last %s\n",
            critical->count, pp_duration_text((double)report->metrics.makespan, text));
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        if (critical->busy[kind] > 0)
            fprintf(stream, "  %5.1f%%  %s  %s\n", percent(story, critical->busy[kind]),
                    pp_duration_text((double)critical->busy[kind], text),
                    pp_kind_name(kind));
    }
    if (critical->hops > 0)
        fprintf(stream, "  %5.1f%%  %s  messages on their way\n",
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
        tell_speedup(story, speedup);
    struct pp_slowest slowest = pp_slowest_rank(report);
    if (slowest.above_mean > 0.01)
        fprintf(stream,
                "  rank %d is the slowest: %s per microbatch, %.1f%% above the mean of "
                "all\n",
                slowest.rank, pp_duration_text(slowest.ns, text),
                100 * slowest.above_mean);
}

/* "2.00 ms dependency", for the causes that there are. */
static void tell_parts(const struct story *story, const struct pp_gap *gap)
{
    const struct {
        int64_t ns;
        const char *name;
    } parts[] = {{gap->wait.dependency, "dependency"},
                 {gap->wait.communication, "communication"},
                 {gap->wait.overhead, "overhead"}};
    char text[PP_DURATION_TEXT];
    int told = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i].ns > 0)
            fprintf(story->stream, "%s%s %s", told++ > 0 ? ", " : "",
                    pp_duration_text((double)parts[i].ns, text), parts[i].name);
    }
}

/* What was waited for, and what kept that from coming earlier. */
static void tell_reason(const struct story *story, const struct pp_gap *gap)
{
    const struct pp_schedule *schedule = &story->report->schedule;
    const struct pp_span *spans = story->report->timeline.spans;
    int64_t producer = gap->producer;
    char op[PP_OP_TEXT], text[PP_DURATION_TEXT];
    if (producer == PP_NO_OP || gap->wait.dependency + gap->wait.communication == 0) {
        fputs("its input was there: the rank itself was late", story->stream);
        return;
    }
    int rank = pp_rank_of_op(schedule, producer);
    bool first = (size_t)producer == schedule->first[rank];
    int64_t start = spans[producer].start;
    int64_t waited =
        start - (first ? story->report->metrics.start : spans[producer - 1].end);
    fprintf(story->stream, "%s on rank %d ", pp_op_text(schedule->ops[producer], op),
            rank);
    if (gap->wait.dependency == 0)
        fputs("had ended, its message was on its way", story->stream);
    else if (waited > 0)
        fprintf(story->stream, "had itself waited %s",
                pp_duration_text((double)waited, text));
    else if (start <= gap->from)
        fputs("was still running", story->stream);
    else
        fputs("had other ops of its rank before it", story->stream);
}

static void tell_rank(const struct story *story, int r)
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
    int count = pp_longest_gaps(&report->timeline, &report->metrics, &story->producers,
                                r, GAPS_PER_RANK, gaps);
    for (int i = 0; i < count; i++) {
        const struct pp_gap *gap = &gaps[i];
        fprintf(
            story->stream,
            "  before %s, from %s on: ", pp_op_text(report->schedule.ops[gap->op], op),
            gap->from == report->metrics.start
                ? "the start"
                : pp_duration_text((double)(gap->from - report->metrics.start), text));
        tell_parts(story, gap);
        fputs("\n    ", story->stream);
        tell_reason(story, gap);
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
    int result = pp_critical_init(&story.critical, &report->timeline, &report->metrics,
                                  &story.producers, error);
    if (result == 0) {
        tell_path(&story, speedup);
        for (int r = 0; r < report->schedule.ranks && r < MOST_RANKS; r++)
            tell_rank(&story, r);
        if (report->schedule.ranks > MOST_RANKS)
            fprintf(stream, "(%d more ranks are not told)\n",
                    report->schedule.ranks - MOST_RANKS);
    }
    pp_critical_release(&story.critical);
    pp_producers_release(&story.producers);
    return result;
}
