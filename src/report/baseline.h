/* One report against another: baselines and comparisons. */
#ifndef PP_REPORT_BASELINE_H
#define PP_REPORT_BASELINE_H

#include "report/figure.h"
#include "report/verdict.h"

/* How a figure changed from one report to another; --baseline judges this, and
 * `ppsim compare` prints it. */
struct pp_change {
    const struct pp_figure *figure;
    double before, after;
    struct pp_range before_range, after_range;
    bool beyond_noise; /* the ranges over the steps do not overlap; of figures that are
                        * not measured per step: they differ */
};
struct pp_change pp_change_of(const struct pp_figure *figure,
                              const struct pp_report *before,
                              const struct pp_report *after);

enum { PP_MOST_TOLERANCES = 16 };

/* --tolerance bubble=0.01,makespan=5%,both: what is compared, and how much worse it may
 * be: absolute, or relative to the baseline with '%'. A number alone is bubble's. */
struct pp_tolerances {
    struct {
        const struct pp_figure *figure;
        double amount;
        bool relative;
    } items[PP_MOST_TOLERANCES];
    int count;
    bool both; /* better by more fails too */
};

/* bubble is always among them, with 0.01 unless given. PP_BAD_INPUT names the column.
 */
int pp_tolerances_parse(struct pp_tolerances *tolerances, const char *text,
                        struct pp_error *error);

/* Refuses a baseline of another configuration, naming the keys that differ: all that
 * decide the result, not where output goes. clock is NULL where it is not chosen yet.
 * PP_BAD_INPUT. */
int pp_baseline_comparable(const struct pp_report *baseline, const json_t *config,
                           const char *command, const char *clock, const char *path,
                           struct pp_error *error);

/* One verdict per tolerance. */
void pp_baseline_judge(const struct pp_report *baseline, const struct pp_report *report,
                       const struct pp_tolerances *tolerances,
                       struct pp_verdict verdicts[PP_MOST_TOLERANCES]);

/* Prints what changed: options, whole step, bubble, causes, memory, op costs by stage;
 * or that nothing did beyond noise. */
void pp_compare_print(const struct pp_report *before, const struct pp_report *after,
                      bool markdown, FILE *stream);

#endif
