/* Gates: --check and --baseline. */
#ifndef PP_CLI_GATE_H
#define PP_CLI_GATE_H

#include "cli/plan.h"
#include "report/gate/baseline.h"
#include "report/gate/check.h"

/* What the options ask to be judged, parsed before any work starts. */
struct pp_gate {
    struct pp_check *checks; /* [check_count], owned */
    int check_count;
    struct pp_tolerances tolerances;
    struct pp_report baseline; /* read where compares; owned */
    bool compares;
};

/* PP_BAD_INPUT for a malformed expression, or a baseline that cannot be read or, of a
 * run, is of another configuration than the plan. */
int pp_gate_init(struct pp_gate *gate, const struct pp_options *options,
                 const struct pp_plan *plan, struct pp_error *error);
void pp_gate_release(struct pp_gate *gate);

/* Judges the report and prints the verdicts in --format; sets *passed. Then writes the
 * baseline anew where that was asked for, if all checks and --verify passed.
 * PP_BAD_INPUT for a baseline of another configuration or clock, and for timings of an
 * oversubscribed wall clock without
 * --force. */
int pp_gate_judge(const struct pp_gate *gate, const struct pp_report *report,
                  const struct pp_options *options, bool *passed,
                  struct pp_error *error);

#endif
