#include "report/gate/baseline.h"

#include <math.h>

#include "base/words.h"
#include "report/gate/change.h"

/* One figure, of one rank or (rank -1) of none, in both. */
struct pair {
    int rank;
    double before, after; /* NaN where unknown */
    double allowed;       /* in the figure's unit */
    double excess;        /* beyond what is allowed; NaN where one is unknown */
};

static double value_of(const struct pp_baseline *baseline,
                       const struct pp_figure *figure, int rank)
{
    if (baseline->report)
        return pp_figure_value(figure, baseline->report, rank);
    return rank < 0 ? baseline->figures[figure - pp_figures] : (double)NAN;
}

static struct pair pair_of(const struct pp_baseline *baseline,
                           const struct pp_report *report,
                           const struct pp_tolerance *item, bool both, int rank)
{
    struct pair pair = {
        .rank = rank,
        .before = value_of(baseline, item->figure, rank),
        .after = pp_figure_value(item->figure, report, rank),
        .allowed = item->amount,
    };
    double worse = pair.after - pair.before;
    if (!item->figure->higher_worse)
        worse = -worse;
    if (item->relative)
        pair.allowed *= fabs(pair.before);
    pair.excess = (both ? fabs(worse) : worse) - pair.allowed;
    return pair;
}

/* What one tolerance finds: the pair that is furthest beyond what is allowed. */
struct finding {
    struct pair worst;
    int compared, failed, unknown; /* pairs; unknown to the baseline alone */
};

static void add_pair(struct finding *finding, struct pair pair)
{
    bool known = !isnan(pair.excess);
    if (isnan(pair.before)) {
        finding->unknown += !isnan(pair.after);
        return;
    }
    /* What the baseline knows and the report does not is worse than any number. */
    if (finding->compared == 0 || (!known && !isnan(finding->worst.excess)) ||
        pair.excess > finding->worst.excess)
        finding->worst = pair;
    finding->compared++;
    finding->failed += !known || pair.excess > 0;
}

static struct finding find(const struct pp_baseline *baseline,
                           const struct pp_report *report,
                           const struct pp_tolerances *tolerances,
                           const struct pp_tolerance *item)
{
    struct finding finding = {.worst = {.rank = item->rank}};
    bool every = item->figure->per_rank && item->rank < 0 && baseline->report;
    if (!every)
        add_pair(&finding,
                 pair_of(baseline, report, item, tolerances->both, item->rank));
    for (int r = 0; r < report->schedule.ranks && every; r++) {
        if (pp_tolerance_is_of(tolerances, item, r))
            add_pair(&finding, pair_of(baseline, report, item, tolerances->both, r));
    }
    return finding;
}

/* Without a rank, the steps of both may differ by noise alone. */
static const char *note_of(const struct pp_baseline *baseline,
                           const struct pp_report *report,
                           const struct pp_tolerance *item)
{
    const struct pp_figure *figure = item->figure;
    if (!item->relative && item->amount >= 1 && figure->unit == PP_FRACTION &&
        !figure->above_one)
        return " (always holds: a fraction is at most 1)";
    if (!baseline->report || figure->per_rank)
        return "";
    struct pp_change change = pp_change_of(figure, baseline->report, report);
    bool ranges = change.before_range.low < change.before_range.high &&
                  change.after_range.low < change.after_range.high;
    return ranges && !change.beyond_noise ? " (the steps' ranges overlap)" : "";
}

/* "peak_in_flight[2] is 5, the baseline's is 3; it may be worse by 0" */
static void describe(const struct pp_baseline *baseline, const struct pp_report *report,
                     const struct pp_tolerances *tolerances,
                     const struct pp_tolerance *item, const struct finding *finding,
                     struct pp_verdict *verdict)
{
    const struct pair *worst = &finding->worst;
    struct pp_range range = pp_figure_range(item->figure, report, worst->rank);
    char before[PP_FIGURE_TEXT], after[PP_FIGURE_TEXT], most[PP_FIGURE_TEXT];
    char difference[PP_FIGURE_TEXT], steps[PP_RANGE_TEXT], more[64] = "";
    char name[PP_FIGURE_NAME];
    pp_figure_name(item->figure, worst->rank, name);
    if (finding->failed > 1)
        pp_assign(more, sizeof more, ", and %d more rank%s", finding->failed - 1,
                  finding->failed > 2 ? "s fail" : " fails");
    else if (finding->failed == 0 && finding->compared > 1)
        pp_assign(more, sizeof more, ", and %d more rank%s", finding->compared - 1,
                  finding->compared > 2 ? "s pass" : " passes");
    pp_figure_texts(item->figure, worst->after, worst->before, after, before);
    pp_figure_texts(item->figure, worst->allowed, fabs(worst->after - worst->before),
                    most, difference);
    pp_assign(verdict->finding, sizeof verdict->finding,
              "%s is %s%s, the baseline's is %s; it may be %s %s%s%s", name, after,
              pp_range_text(item->figure, range, report->step_count, steps), before,
              tolerances->both ? "off by" : "worse by", most, more,
              note_of(baseline, report, item));
}

/* The baseline does not know the figure: what nobody asked for is left, and said. */
static void pass_over(const struct pp_tolerance *item, const char *name,
                      struct pp_verdict *verdict)
{
    pp_assign(verdict->finding, sizeof verdict->finding,
              "not judged: %s is unknown in the baseline", name);
    verdict->outcome = item->by_default ? PP_NOT_JUDGED : PP_FAIL;
}

int pp_baseline_judge(const struct pp_baseline *baseline,
                      const struct pp_report *report,
                      const struct pp_tolerances *tolerances,
                      struct pp_verdict verdicts[PP_MOST_TOLERANCES])
{
    char name[PP_FIGURE_NAME];
    int count = 0;
    for (int i = 0; i < tolerances->count; i++) {
        const struct pp_tolerance *item = &tolerances->items[i];
        struct finding finding = find(baseline, report, tolerances, item);
        struct pp_verdict *verdict = &verdicts[count];
        if (finding.compared == 0 && finding.unknown == 0 && item->by_default)
            continue; /* the bytes of a simulation */
        *verdict = (struct pp_verdict){
            .outcome = finding.failed > 0 ? PP_FAIL : PP_PASS,
            .rank = finding.worst.rank,
        };
        pp_figure_name(item->figure, item->rank, name);
        pp_assign(verdict->name, sizeof verdict->name, "baseline %s", name);
        if (finding.compared > 0)
            describe(baseline, report, tolerances, item, &finding, verdict);
        else
            pass_over(item, name, verdict);
        count++;
    }
    return count;
}
