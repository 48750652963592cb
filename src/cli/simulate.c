/* ppsim simulate: the schedule on a cost model. */
#include "cli/command.h"
#include "cli/gate.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/simulation.h"
#include "cli/terminal.h"
#include "cli/verdicts.h"

int pp_command_simulate(struct pp_options *options)
{
    struct pp_terminal terminal = pp_terminal_detect(false);
    struct pp_error error = {0};
    struct pp_plan plan = {0};
    struct pp_report report = {0};
    struct pp_gate gate = {0};
    int status;
    if (pp_output_paths_check(options, &error) != 0 ||
        pp_plan_schedule(&plan, options, &error) != 0 ||
        pp_gate_init(&gate, options, &plan, &error) != 0 ||
        pp_simulation(&report, &plan, options, &error) != 0)
        status = pp_refuse(options, &error);
    else
        status = pp_output_and_judge(&report, options, &terminal, &gate);
    pp_gate_release(&gate);
    pp_report_release(&report);
    pp_plan_release(&plan);
    return status;
}
