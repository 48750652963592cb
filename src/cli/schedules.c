/* ppsim schedules: list, show, check and convert. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"
#include "base/wrap.h"
#include "cli/command.h"
#include "cli/plan.h"
#include "cli/terminal.h"
#include "report/export/schedule_json.h"
#include "report/numbers.h"
#include "report/print/grid.h"
#include "report/print/table.h"
#include "schedule/csv.h"
#include "simulate/cost_text.h"
#include "simulate/simulate.h"

enum { NAME, BUBBLE, MEMORY, WEIGHTS, MESSAGES, CHUNKS, NEEDS, COLUMNS };

static void fill_row(struct pp_table *table, int index, const struct pp_scheduler *row)
{
    pp_table_set(table, index, NAME, "%s", row->name);
    pp_table_set(table, index, BUBBLE, "%s", row->bubble);
    pp_table_set(table, index, MEMORY, "%s", row->memory);
    pp_table_set(table, index, WEIGHTS, "%d", row->placement == PP_MIRRORED ? 2 : 1);
    pp_table_set(table, index, MESSAGES, "%s", row->messages);
    if (row->takes_chunks)
        pp_table_set(table, index, CHUNKS, "v");
    else
        pp_table_set(table, index, CHUNKS, "%d", row->default_chunks);
    pp_table_set(table, index, NEEDS, "%s", row->constraint ? row->constraint : "-");
}

/* What the table has no room for. */
static void print_words(const struct pp_scheduler *row)
{
    char text[512] = "";
    int column = printf("%s:", row->name);
    pp_append(text, sizeof text, "%s", row->summary);
    for (int a = 0; a < PP_MAX_ALIASES && row->aliases[a]; a++)
        pp_append(text, sizeof text, "%s%s", a == 0 ? "; also called " : ", ",
                  row->aliases[a]);
    pp_append(text, sizeof text, ". Source: %s", row->source);
    pp_print_wrapped(stdout, text, column, 2, false);
}

static int list(struct pp_error *error)
{
    static const char *const header[COLUMNS] = {
        "schedule", "bubble", "memory", "weights", "messages", "chunks", "needs"};
    struct pp_terminal terminal = pp_terminal_detect(false);
    struct pp_table table;
    if (pp_table_init(&table, pp_catalogue_count(), COLUMNS, error) != 0)
        return -1;
    for (int c = 0; c < COLUMNS; c++)
        pp_table_set(&table, -1, c, "%s", header[c]);
    for (int i = 0; i < table.rows; i++)
        fill_row(&table, i, pp_catalogue_row(i));
    pp_table_print(&table, stdout, 0, terminal.output ? terminal.width : 0);
    pp_table_release(&table);
    putchar('\n');
    pp_print_wrapped(
        stdout,
        "p ranks, v chunks per rank, m microbatches: a multiple of p, at least 2p. "
        "Bubble and memory are in microbatches of a whole rank, where forward and both "
        "halves of backward take the same and messages no time: a bubble of b is "
        "b/(m+b) of the rank's span; memory is that of the rank which holds most. "
        "Weights are copies of them; messages are those of one microbatch. One of "
        "decode is "
        "a forward, of p groups that take turns.",
        0, 0, false);
    putchar('\n');
    for (int i = 0; i < pp_catalogue_count(); i++)
        print_words(pp_catalogue_row(i));
    return 0;
}

static void print_legend(const struct pp_schedule *schedule, double unit)
{
    char took[PP_DURATION_TEXT], text[160];
    int column = printf("%s:", schedule->name);
    pp_assign(text, sizeof text,
              "a column is %s; F forward, B backward (I for the input, W for the "
              "weights), = continues, . idle",
              pp_duration_text(unit, took));
    pp_print_wrapped(stdout, text, column, 2, false);
}

/* The smallest number of which every rank's stages take whole shares; 1 where it would
 * be large, 0 when out of memory. */
static int whole_shares(const struct pp_schedule *schedule)
{
    const int most = 5040;
    int *met = pp_schedule_stages_met(schedule);
    int common = met ? 1 : 0;
    for (int i = 0; met && i < schedule->copies * schedule->ranks && common <= most;
         i++) {
        int multiple = common;
        while (met[i] > 0 && multiple <= most && multiple % met[i] != 0)
            multiple += common;
        common = multiple;
    }
    free(met);
    return common <= most ? common : 1;
}

/* Draws the simulated schedule. A grid has no scale: its costs are multiplied so that a
 * rank's work shared by three stages still is a whole number of columns. */
static int print_grid(const struct pp_schedule *schedule,
                      const struct pp_options *options, struct pp_error *error)
{
    struct pp_terminal terminal = pp_terminal_detect(false);
    /* In a file a rank stays on one line. */
    const struct pp_grid_view view = {
        .width = terminal.output ? terminal.width : 0,
        .from = options->from,
        .to = pp_options_given(options, "to") ? options->to : -1,
    };
    struct pp_costs costs = {0};
    struct pp_timeline timeline = {0};
    const char *cost = options->cost          ? options->cost
                       : pp_decodes(schedule) ? "f=1"
                                              : "f=1,b=2";
    double scale = whole_shares(schedule);
    int status = scale > 0 ? pp_costs_init(&costs, schedule->stages, error)
                           : pp_fail(error, PP_ENVIRONMENT, "out of memory for a grid");
    if (status == 0)
        status = pp_cost_text(cost, schedule, scale, &costs, error);
    if (status == 0)
        status = pp_timeline_init(&timeline, schedule, error);
    if (status == 0)
        status = pp_simulate(schedule, &costs, 0, &timeline, error);
    if (status == 0)
        status = pp_report_print_grid(&timeline, &view, stdout, error);
    if (status == 0 && terminal.output)
        print_legend(schedule, (double)pp_report_grid_unit(&timeline) / scale);
    pp_timeline_release(&timeline);
    pp_costs_release(&costs);
    return status;
}

static int check_excerpt(const struct pp_options *options, struct pp_error *error)
{
    bool from = pp_options_given(options, "from"), to = pp_options_given(options, "to");
    if ((from || to) && options->show_format != PP_SHOW_GRID)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' counts the columns of the grid: leave '--format' out",
                       from ? "from" : "to");
    if (to && options->to < options->from)
        return pp_fail(error, PP_BAD_INPUT, "'--to' %d is before '--from' %d",
                       options->to, options->from);
    return 0;
}

static int show(const struct pp_options *options, struct pp_error *error)
{
    struct pp_plan plan = {0};
    const struct pp_schedule *schedule = &plan.schedule;
    int status = check_excerpt(options, error);
    if (status == 0)
        status = pp_plan_schedule(&plan, options, error);
    if (status == 0) {
        switch (options->show_format) {
        case PP_SHOW_GRID:
            status = print_grid(schedule, options, error);
            break;
        case PP_SHOW_CSV:
        case PP_SHOW_CSV_COMMS:
            status = pp_csv_write(schedule, stdout,
                                  options->show_format == PP_SHOW_CSV_COMMS, error);
            break;
        case PP_SHOW_JSON:
            status = pp_schedule_write_json(schedule, stdout, error);
            break;
        }
    }
    pp_plan_release(&plan);
    return status;
}

static int check(const struct pp_options *options, struct pp_error *error)
{
    struct pp_plan plan = {0};
    int status = pp_plan_schedule(&plan, options, error);
    if (status == 0)
        printf("%s: valid: %d rank%s, %d stage%s, %d microbatch%s, %zu ops\n",
               options->schedule, plan.schedule.ranks,
               plan.schedule.ranks == 1 ? "" : "s", plan.schedule.stages,
               plan.schedule.stages == 1 ? "" : "s", plan.schedule.microbatches,
               plan.schedule.microbatches == 1 ? "" : "es",
               pp_schedule_ops(&plan.schedule));
    pp_plan_release(&plan);
    return status;
}

int pp_command_schedules(struct pp_options *options)
{
    static const char *const actions[] = {"list", "show", "check", "convert", NULL};
    struct pp_error error = {0};
    const char *action = options->argument_count > 0 ? options->arguments[0] : "";
    int status;
    if (strcmp(action, "list") == 0 && options->argument_count == 1) {
        status = list(&error);
    } else if (pp_names_in(actions + 1, action) && options->argument_count <= 2) {
        bool named = options->argument_count == 2;
        if (named)
            options->schedule = options->arguments[1];
        if (!named && strcmp(action, "show") != 0)
            status = pp_fail(&error, PP_BAD_INPUT,
                             "'ppsim schedules %s' needs a NAME or FILE.csv", action);
        else if (strcmp(action, "check") == 0)
            status = check(options, &error);
        else {
            if (strcmp(action, "convert") == 0 && !pp_options_given(options, "format"))
                options->show_format = PP_SHOW_CSV;
            status = show(options, &error);
        }
    } else {
        status = pp_fail(&error, PP_BAD_INPUT,
                         "'ppsim schedules' needs one of: list, show NAME|FILE, check "
                         "FILE, convert FILE");
    }
    return status == 0 ? PP_DONE : pp_print_error(&error);
}
