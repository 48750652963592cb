/* A report judged against an older one. */
#ifndef PP_REPORT_GATE_BASELINE_H
#define PP_REPORT_GATE_BASELINE_H

#include "report/gate/change.h"
#include "report/gate/verdict.h"

enum { PP_MOST_TOLERANCES = 16 };

/* --tolerance bubble=0.01,makespan=5%,both: what is compared, and how much worse it may
 * be: absolute, in a unit of the figure (makespan=1ms), or relative to the baseline
 * with
 * '%'. A number alone is bubble's. */
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
                           pp_decides *decides, const char *command, const char *clock,
                           const char *path, struct pp_error *error);

/* One verdict per tolerance. */
void pp_baseline_judge(const struct pp_report *baseline, const struct pp_report *report,
                       const struct pp_tolerances *tolerances,
                       struct pp_verdict verdicts[PP_MOST_TOLERANCES]);

#endif
