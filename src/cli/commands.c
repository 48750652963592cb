#include "cli/command.h"

#include "report/draw/sheet.h"

const struct pp_command_row pp_commands[PP_COMMANDS] = {
    [PP_RUN] =
        {
            .name = "run",
            .help = "train for real across ranks (the default command)",
            .usages = {"ppsim [run] [OPTIONS]", "mpirun -n P ppsim [run] [OPTIONS]"},
            .trains = true,
            .run = pp_command_run,
        },
    [PP_SIMULATE] =
        {
            .name = "simulate",
            .help = "execute a schedule on a cost model, without MPI or numerics",
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
            .help = "say why each rank was idle, and what would help",
            .note = "Of a report it explains the step that was shown. Without one it "
                    "trains first, as run does; with an option that run does not "
                    "have, such as --cost, it simulates instead.",
            .usages = {"ppsim explain REPORT.json [OPTIONS]",
                       "ppsim explain [OPTIONS]"},
            .most_arguments = 1,
            .anew = true,
            .run = pp_command_explain,
        },
    [PP_COMPARE] =
        {
            .name = "compare",
            .help = "say what changed between two reports",
            .usages = {"ppsim compare BEFORE.json AFTER.json [OPTIONS]"},
            .most_arguments = 2,
            .run = pp_command_compare,
        },
    [PP_PLOT] =
        {
            .name = "plot",
            .help = "make pictures and traces from reports, or a history's picture",
            .usages = {"ppsim plot REPORT.json .. OPTIONS",
                       "ppsim plot HISTORY.csv --plot FILE"},
            .most_arguments = PP_MOST_PLOTTED,
            .run = pp_command_plot,
        },
    [PP_SWEEP] =
        {
            .name = "sweep",
            .help = "run or simulate many points, as one table",
            .note = "An option with a + may have several values; every combination is "
                    "a point. Numbers and names have commas between them, 2,4,8, or "
                    "are a range: 4:64:x2, 4:16:+4, 1:4. Other options are repeated: "
                    "--slow 0:1.5 --slow 3:2. In those, any number may be a range: "
                    "--link latency=1us:100us:x10.",
            .usages = {"ppsim sweep [OPTIONS]"},
            .run = pp_command_sweep,
        },
    [PP_DOCTOR] =
        {
            .name = "doctor",
            .help = "say what is wrong with this machine, and what to do",
            .note = "It starts two ranks, looks at cores, memory, limits and clocks, "
                    "and with '--hosts' at each host. Warnings do not fail.",
            .usages = {"ppsim doctor [--hosts FILE] [--json FILE]"},
            .run = pp_command_doctor,
        },
    [PP_OPTIMIZE] =
        {
            .name = "optimize",
            .help = "find a schedule for given costs and memory",
            .usages = {"ppsim optimize --memory-limit X [OPTIONS]"},
            .run = pp_command_optimize,
        },
    [PP_RECOMMEND] =
        {
            .name = "recommend",
            .help = "say which schedules fit given costs and memory, the best first",
            .usages = {"ppsim recommend [OPTIONS]"},
            .run = pp_command_recommend,
        },
    [PP_GENERATE] =
        {
            .name = "generate",
            .help = "continue texts with a model that is split over ranks",
            .note = "The text goes to standard output as it comes, and nothing else "
                    "does; of several prompts one after the other, each behind a line "
                    "that names it. Figures go to standard error. Without a prompt on "
                    "a terminal it is a conversation.",
            .usages = {"ppsim generate --load FILE|DIR --prompt TEXT [OPTIONS]",
                       "ppsim generate --load FILE|DIR --prompt-file FILE|- [OPTIONS]",
                       "mpirun -n P ppsim generate --load FILE|DIR --prompt TEXT "
                       "[OPTIONS]"},
            .trains = true,
            .run = pp_command_generate,
        },
    [PP_SERVE] =
        {
            .name = "serve",
            .help = "answer over HTTP with a model that is split over ranks",
            .note =
                "At the address that it prints there is a page to talk to the model "
                "and to see its ranks work; programs use OpenAI's API: POST "
                "/v1/completions and /v1/chat/completions. Ctrl-C ends it when what "
                "is under way has ended; a second one at once.",
            .usages = {"ppsim serve --load FILE|DIR [OPTIONS]"},
            .trains = true,
            .run = pp_command_serve,
        },
};
