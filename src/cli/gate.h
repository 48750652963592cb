/* Gates: --check and --baseline; and the record of what was judged, --history. */
#ifndef PP_CLI_GATE_H
#define PP_CLI_GATE_H

#include "cli/plan.h"
#include "report/gate/baseline.h"
#include "report/gate/check.h"
#include "report/history.h"

/* What the report is held against, known before any work starts. */
struct pp_gate {
    struct pp_check *checks; /* [check_count], owned */
    int check_count;
    struct pp_tolerances tolerances;
    bool compares;             /* with a baseline, which is one of these: */
    struct pp_report baseline; /* owned */
    struct pp_history history; /* owned; rows NULL: the baseline is a report */
};

/* Parses the checks and tolerances, and reads the baseline. PP_BAD_INPUT for a
 * malformed expression, a baseline or a history that cannot be read, a run's baseline
 * whose configuration is not the plan's, and for ranks that would share cores on the
 * wall clock without --force. */
int pp_gate_init(struct pp_gate *gate, const struct pp_options *options,
                 const struct pp_plan *plan, struct pp_error *error);
void pp_gate_release(struct pp_gate *gate);

/* Judges the report and prints the verdicts in every --format. Then, unless the
 * run was stopped, with --history
 * appends the report's row, unless --verify failed; and with --update-baseline, writes
 * the baseline if all checks and --verify have passed. Prints errors, in every --format
 * those that keep it from judging: a baseline of another configuration or clock, or of
 * which nothing could be judged, times of ranks that shared their cores
 * (report/gate/trust.h) without --force, and a run stopped in its warm-up. Returns the
 * exit status. */
int pp_gate_judge(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options);

#endif
