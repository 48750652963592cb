#include "cli/command.h"

const struct pp_command_row pp_commands[PP_COMMANDS] = {
    [PP_RUN] =
        {
            .name = "run",
            .help = "real training across ranks (the command when none is given)",
            .usages = {"ppsim [run] [OPTIONS]", "mpirun -n P ppsim [run] [OPTIONS]"},
            .trains = true,
            .run = pp_command_run,
        },
    [PP_SIMULATE] =
        {
            .name = "simulate",
            .help = "the same schedule on a cost model: no MPI, no numerics",
            .usages = {"ppsim simulate [OPTIONS]"},
            .run = pp_command_simulate,
        },
    [PP_SCHEDULES] =
        {
            .name = "schedules",
            .help = "list, show, check or convert schedules",
            .usages = {"ppsim schedules list",
                       "ppsim schedules show [NAME|FILE.csv] [OPTIONS]",
                       "ppsim schedules check NAME|FILE.csv [OPTIONS]",
                       "ppsim schedules convert NAME|FILE.csv [OPTIONS]"},
            .actions = {"list", "show", "check", "convert"},
            .most_arguments = 2,
            .run = pp_command_schedules,
        },
    [PP_EXPLAIN] =
        {
            .name = "explain",
            .help = "why each rank was idle, and what would help",
            .usages = {"ppsim explain REPORT.json [OPTIONS]",
                       "ppsim explain [OPTIONS]"},
            .most_arguments = 1,
            .anew = true,
            .run = pp_command_explain,
        },
    [PP_COMPARE] =
        {
            .name = "compare",
            .help = "what changed between two reports",
            .usages = {"ppsim compare BEFORE.json AFTER.json [OPTIONS]"},
            .most_arguments = 2,
            .run = pp_command_compare,
        },
    [PP_PLOT] =
        {
            .name = "plot",
            .help = "pictures and traces from a report",
            .usages = {"ppsim plot REPORT.json OPTIONS"},
            .most_arguments = 1,
            .run = pp_command_plot,
        },
    [PP_SWEEP] =
        {
            .name = "sweep",
            .help = "many shapes at once, as one table",
            .usages = {"ppsim sweep [OPTIONS]"},
            .run = pp_command_sweep,
        },
};
