#include "cli/help.h"

#include <string.h>

#include "base/words.h"
#include "base/wrap.h"
#include "cli/option_table.h"

enum { INDENT = 2, HELP_COLUMN = 30 };

const struct pp_exit_status pp_exit_statuses[] = {
    {"0", "done"},
    {"1", "a check or baseline failed"},
    {"2", "bad usage or input"},
    {"3", "the numbers are wrong (--verify failed, or NaN)"},
    {"4", "the environment failed (MPI, a dead rank, disk, memory)"},
    {"130, 143", "stopped by a signal: SIGINT, SIGTERM"},
    {0},
};

/* A name, then its meaning in the column of help. */
static void print_row(const char *name, const char *help, int column, FILE *stream)
{
    int used = fprintf(stream, "%*s%s", INDENT, "", name);
    if (used + 2 > column) {
        fputc('\n', stream);
        used = 0;
    }
    pp_print_wrapped(stream, help, used, column, false);
}

static void print_option(const struct pp_option *option, enum pp_command command,
                         FILE *stream)
{
    char name[80], help[PP_OPTION_HELP];
    pp_assign(name, sizeof name, "--%s%s%s%s", option->name, option->value ? " " : "",
              option->value ? option->value : "",
              command == PP_SWEEP && option->listed ? " +" : "");
    pp_option_help(option, help);
    if (option->start && strcmp(option->start, "0") != 0)
        pp_append(help, sizeof help, " (%s)", option->start);
    print_row(name, help, HELP_COLUMN, stream);
}

static void print_statuses(FILE *stream)
{
    fputs("\nExit status:\n", stream);
    for (const struct pp_exit_status *row = pp_exit_statuses; row->status; row++)
        print_row(row->status, row->meaning, 14, stream);
}

void pp_help_overview(const struct pp_command_row *commands, FILE *stream)
{
    fputs("usage: ppsim [COMMAND] [OPTIONS]\n\n"
          "Executes pipeline-parallel training schedules, and measures, predicts and\n"
          "explains their bubbles.\n\nCommands:\n",
          stream);
    for (int c = 0; c < PP_COMMANDS; c++)
        print_row(commands[c].name, commands[c].help, 14, stream);
    fputs("\nTo go on:\n", stream);
    print_row("ppsim help COMMAND", "the options of a command, with their defaults", 35,
              stream);
    print_row("ppsim schedules list", "the names of all schedules", 35, stream);
    print_row("ppsim simulate --schedule gpipe", "a step of one of them, simulated", 35,
              stream);
    print_row("ppsim --microbatches 16", "a training run on 4 ranks", 35, stream);
    print_statuses(stream);
}

void pp_help_command(const struct pp_command_row *commands, enum pp_command command,
                     FILE *stream)
{
    const struct pp_command_row *row = &commands[command];
    const char *title = NULL;
    for (int i = 0; row->usages[i]; i++)
        fprintf(stream, "%s%s\n", i == 0 ? "usage: " : "       ", row->usages[i]);
    int used = fprintf(stream, "\n%s: ", row->name) - 1;
    pp_print_wrapped(stream, row->help, used, used, false);
    fputs("\nOptions (defaults in brackets):\n", stream);
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        const char *own = pp_role_title(option->role);
        if (!pp_option_of(option, command))
            continue;
        if (!title || strcmp(title, own) != 0)
            fprintf(stream, "\n%s\n", own);
        title = own;
        print_option(option, command, stream);
    }
    if (row->note) {
        fputc('\n', stream);
        pp_print_wrapped(stream, row->note, 0, 0, false);
    }
    print_statuses(stream);
}
