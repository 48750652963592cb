/* A report judged against what is known to be good. */
#ifndef PP_REPORT_GATE_BASELINE_H
#define PP_REPORT_GATE_BASELINE_H

#include "report/gate/tolerance.h"
#include "report/gate/verdict.h"

/* An older report, or figures without one, of which ranks' figures are the largest of
 * all ranks. Borrowed. */
struct pp_baseline {
    const struct pp_report *report; /* NULL: the figures */
    const double *figures;          /* as in pp_figures; NaN where unknown */
};

/* One verdict per tolerance, but for figures that neither knows and nobody asked for.
 * A figure that the baseline does not know is not judged; if it was asked for, it
 * fails. The two are of the same ranks. Returns how many verdicts there are. */
int pp_baseline_judge(const struct pp_baseline *baseline,
                      const struct pp_report *report,
                      const struct pp_tolerances *tolerances,
                      struct pp_verdict verdicts[PP_MOST_TOLERANCES]);

#endif
