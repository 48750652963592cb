/* One simulation, from options to report; shared by simulate and sweep. */
#ifndef PP_CLI_SIMULATION_H
#define PP_CLI_SIMULATION_H

#include "cli/options.h"
#include "cli/plan.h"
#include "report/report.h"

/* Simulates the plan on the costs that the options give. The report takes over the
 * plan's schedule. */
int pp_simulation(struct pp_report *report, struct pp_plan *plan,
                  const struct pp_options *asked, struct pp_error *error);

/* The cost model from the options, for the stages of the plan's schedule, of which no
 * ops are needed; with --costs or --device, the plan's model too. May be released after
 * a failure. --costs bring their model's sizes into the options. */
int pp_simulation_costs(struct pp_costs *costs, struct pp_options *options,
                        struct pp_plan *plan, struct pp_error *error);

/* Where an earlier version's config has null for an option of the costs: did it mean
 * this value? Sets *change to what the value means otherwise now (a static text), or
 * leaves it. */
bool pp_simulation_implies(const json_t *config, const char *key, const json_t *value,
                           const char **change);

#endif
