/* Gates: --check and --baseline. */
#ifndef PP_CLI_GATE_H
#define PP_CLI_GATE_H

#include "cli/plan.h"
#include "report/gate/baseline.h"
#include "report/gate/check.h"

/* What the report is held against, known before any work starts. */
struct pp_gate {
    struct pp_check *checks; /* [check_count], owned */
    int check_count;
    struct pp_tolerances tolerances;
    bool compares;             /* with the baseline */
    struct pp_report baseline; /* owned; empty unless it compares */
};

/* Parses the checks and tolerances, and reads the baseline. PP_BAD_INPUT for a
 * malformed expression, a baseline that cannot be read, or a run's baseline whose
 * configuration is not the plan's. */
int pp_gate_init(struct pp_gate *gate, const struct pp_options *options,
                 const struct pp_plan *plan, struct pp_error *error);
void pp_gate_release(struct pp_gate *gate);

/* Judges the report and prints the verdicts in --format; sets *passed. Then, with
 * --update-baseline, writes the baseline if all checks and --verify have passed.
 * PP_BAD_INPUT for a baseline of another configuration or clock, and for times of ranks
 * that shared their cores (report/gate/trust.h) without --force. */
int pp_gate_judge(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options, bool *passed,
                  struct pp_error *error);

#endif
