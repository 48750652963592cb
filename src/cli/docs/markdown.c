#include "cli/docs/docs.h"
#include "cli/help.h"

/* In a cell '|' would end it. */
static void print_cell(const char *text, FILE *stream)
{
    for (; *text; text++)
        fprintf(stream, *text == '|' ? "\\%c" : "%c", *text);
}

static void print_option(const struct pp_option *option, FILE *stream)
{
    char commands[128], help[PP_OPTION_HELP];
    fprintf(stream, "| `--%s%s", option->name, option->value ? " " : "");
    print_cell(option->value ? option->value : "", stream);
    fputs(option->listed ? "` + | " : "` | ", stream);
    print_cell(pp_option_help(option, help), stream);
    fprintf(stream, " | %s%s%s | %s |\n", option->start ? "`" : "",
            option->start ? option->start : "", option->start ? "`" : "",
            pp_docs_commands_of(option, commands, sizeof commands));
}

void pp_docs_markdown(FILE *stream)
{
    fputs(
        "# Commands and options\n\n"
        "<!-- Made from the tables in src/cli by `ninja -C build options-page`. -->\n\n"
        "`ppsim help COMMAND` prints the options of one command. A value follows its "
        "option as\nthe next word, or behind `=`.\n\n"
        "| Command | | Usage |\n|---|---|---|\n",
        stream);
    for (int c = 0; c < PP_COMMANDS; c++) {
        const struct pp_command_row *row = &pp_commands[c];
        fprintf(stream, "| `%s` | %s | ", row->name, row->help);
        for (int u = 0; row->usages[u]; u++) {
            fputs(u > 0 ? "<br>`" : "`", stream);
            print_cell(row->usages[u], stream);
            fputc('`', stream);
        }
        fputs(" |\n", stream);
    }
    for (int c = 0; c < PP_COMMANDS; c++) {
        if (pp_commands[c].note)
            fprintf(stream, "\n`%s`: %s\n", pp_commands[c].name, pp_commands[c].note);
    }
    for (int i = 0; i < pp_option_count; i++) {
        if (pp_docs_begins_group(i))
            fprintf(stream,
                    "\n## %s\n\n| Option | | Default | Commands |\n|---|---|---|---|\n",
                    pp_role_title(pp_option_table[i].role));
        print_option(&pp_option_table[i], stream);
    }
    fputs("\n## Exit status\n\n| Status | |\n|---|---|\n", stream);
    for (const struct pp_exit_status *row = pp_exit_statuses; row->status; row++)
        fprintf(stream, "| %s | %s |\n", row->status, row->meaning);
    fputs("\n## Environment\n\n| Variable | |\n|---|---|\n", stream);
    for (const struct pp_docs_item *item = pp_docs_environment; item->term; item++)
        fprintf(stream, "| `%s` | %s |\n", item->term, item->meaning);
}
