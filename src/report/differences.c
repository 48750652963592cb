#include "report/differences.h"

#include <math.h>

#include "base/words.h"
#include "report/numbers.h"

static const double agreement = 0.005;

/* The share of a stage's microbatches that are of the cost's class. */
static double share_of(const struct pp_report *report, const struct pp_cost *cost)
{
    double all = 0;
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *other = &report->costs[i];
        if (other->stage == cost->stage && other->kind == cost->kind)
            all += (double)other->count;
    }
    return all > 0 ? (double)cost->count / all : 1;
}

/* What a microbatch takes on the rank. */
static double rank_time(const struct pp_report *report, int rank)
{
    const struct pp_schedule *schedule = &report->schedule;
    double ns = 0;
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        double share = cost->of_class.label[0] ? share_of(report, cost) : 1;
        for (int c = 0; c < schedule->copies; c++) {
            if (schedule->rank_of[pp_place(schedule, c, cost->stage)] == rank)
                ns += share * (double)cost->median / schedule->copies;
        }
    }
    return ns;
}

struct pp_slowest pp_slowest_rank(const struct pp_report *report)
{
    struct pp_slowest slowest = {.rank = -1};
    double sum = 0;
    for (int r = 0; r < report->schedule.ranks; r++) {
        double ns = rank_time(report, r);
        sum += ns;
        if (ns > slowest.ns) {
            slowest.rank = r;
            slowest.ns = ns;
        }
    }
    if (slowest.rank >= 0)
        slowest.above_mean = slowest.ns * report->schedule.ranks / sum - 1;
    return slowest;
}

/* The predicted bubble; of a simulation, the simulated one. */
static double modelled(const struct pp_report *report)
{
    return isfinite(report->predicted) ? report->predicted
                                       : report->metrics.bubble.fraction;
}

/* By how much the 95th percentile of op times is above their median: the largest such
 * ratio of a stage and kind, minus 1. */
static double spread_of(const struct pp_report *report)
{
    double spread = 0;
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        double above = (double)cost->p95 / (double)cost->median - 1;
        if (isfinite(above))
            spread = fmax(spread, above);
    }
    return spread;
}

/* Names the first possible reason that is large enough to explain the difference. */
void pp_why_not_theory(const struct pp_report *report, char *text, size_t size)
{
    text[0] = '\0';
    double difference = modelled(report) - report->theory;
    if (!(fabs(difference) > agreement))
        return;
    struct pp_slowest slowest = pp_slowest_rank(report);
    double spread = spread_of(report);
    bool simulated = !isfinite(report->predicted);
    char took[PP_DURATION_TEXT];
    pp_assign(text, size,
              "%s is %.4f %s theory: ", simulated ? "simulated" : "predicted",
              fabs(difference), difference > 0 ? "above" : "below");
    if (slowest.above_mean > fabs(difference) / 2)
        pp_append(
            text, size,
            "theory assumes equal stages, but rank %d takes %s per microbatch, %.0f%% "
            "above the mean",
            slowest.rank, pp_duration_text(slowest.ns, took), 100 * slowest.above_mean);
    else if (report->metrics.causes.communication > 0)
        pp_append(text, size,
                  "theory assumes free messages, but ranks waited %s for messages",
                  pp_duration_text((double)report->metrics.causes.communication, took));
    else if (simulated && spread > 0.01)
        pp_append(
            text, size,
            "op times vary: their 95th percentile is up to %.0f%% above the median",
            100 * spread);
    else
        pp_append(text, size, "theory assumes other costs");
}

const char *pp_core_share_text(const struct pp_report *report, char text[PP_SHARE_TEXT])
{
    struct pp_least_share least = pp_least_core_share(report);
    text[0] = '\0';
    if (pp_report_shared_core(report))
        pp_assign(text, PP_SHARE_TEXT,
                  "rank %d had %.0f%% of its core, others the rest", least.rank,
                  100 * least.share);
    return text;
}

void pp_why_not_predicted(const struct pp_report *report, char *text, size_t size)
{
    text[0] = '\0';
    const struct pp_metrics *metrics = &report->metrics;
    double difference = metrics->bubble.fraction - report->predicted;
    double slower = (double)metrics->makespan / 1e9 / report->predicted_makespan_s - 1;
    char share[PP_SHARE_TEXT];
    pp_core_share_text(report, share);
    if (share[0] && difference > agreement)
        pp_assign(text, size, "measured is %.4f above predicted: %s", difference,
                  share);
    else if (share[0] && slower > agreement)
        pp_assign(text, size, "the makespan is %.0f%% above predicted: %s",
                  100 * slower, share);
    if (text[0] || !(fabs(difference) > agreement))
        return;
    double total = (double)metrics->ranks * (double)metrics->makespan;
    double overhead = (double)metrics->causes.overhead / total;
    const char *way = difference > 0 ? "above" : "below";
    if (overhead > fabs(difference) / 2)
        pp_assign(text, size,
                  "measured is %.4f %s predicted: ops start late although their input "
                  "has arrived (overhead %.4f)",
                  fabs(difference), way, overhead);
    else
        pp_assign(
            text, size,
            "measured is %.4f %s predicted: noise, the 95th percentile of op times "
            "is up to %.0f%% above the median",
            fabs(difference), way, 100 * spread_of(report));
}
