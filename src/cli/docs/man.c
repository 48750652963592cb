/* man 7 man-pages says what stands where. */
#include "cli/docs/docs.h"
#include "cli/help.h"
#include "schedules/catalogue.h"
#include "version.h"

/* Text as roff takes it literally: '-' is a minus to copy, not a hyphen. */
static void print_text(const char *text, FILE *stream)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stream);
    for (; *text; text++) {
        if (*text == '-')
            fputs("\\-", stream);
        else if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '\'')
            fputs("\\(aq", stream);
        else
            fputc(*text, stream);
    }
}

static void print_bold(const char *text, FILE *stream)
{
    fputs("\\fB", stream);
    print_text(text, stream);
    fputs("\\fR", stream);
}

static void print_item(const char *term, const char *meaning, FILE *stream)
{
    fputs(".TP\n", stream);
    print_bold(term, stream);
    fputc('\n', stream);
    print_text(meaning, stream);
    fputc('\n', stream);
}

static void print_items(const struct pp_docs_item *items, FILE *stream)
{
    for (; items->term; items++)
        print_item(items->term, items->meaning, stream);
}

static void print_synopsis(FILE *stream)
{
    fputs(".SH SYNOPSIS\n.nf\n", stream);
    for (int c = 0; c < PP_COMMANDS; c++) {
        for (int u = 0; pp_commands[c].usages[u]; u++) {
            print_text(pp_commands[c].usages[u], stream);
            fputc('\n', stream);
        }
    }
    fputs("ppsim help [COMMAND]\n.fi\n", stream);
}

static void print_option(const struct pp_option *option, FILE *stream)
{
    char name[80], commands[128], help[PP_OPTION_HELP];
    snprintf(name, sizeof name, "--%s", option->name);
    fputs(".TP\n", stream);
    print_bold(name, stream);
    if (option->value) {
        fputs(" \\fI", stream);
        print_text(option->value, stream);
        fputs(option->listed ? "\\fR +" : "\\fR", stream);
    }
    fputc('\n', stream);
    print_text(pp_option_help(option, help), stream);
    if (option->start) {
        fputs(" (default: ", stream);
        print_text(option->start, stream);
        fputc(')', stream);
    }
    fputs(".\nCommands: ", stream);
    print_text(pp_docs_commands_of(option, commands, sizeof commands), stream);
    fputs(".\n", stream);
}

static void print_schedules(FILE *stream)
{
    fputs(".SH SCHEDULES\n", stream);
    for (int i = 0; i < pp_catalogue_count(); i++) {
        const struct pp_scheduler *row = pp_catalogue_row(i);
        print_item(row->name, row->summary, stream);
    }
}

void pp_docs_man(FILE *stream)
{
    fprintf(stream, ".TH PPSIM 1 \"\" \"ppsim %s\" \"User Commands\"\n", PP_VERSION);
    fputs(".SH NAME\nppsim \\- execute, measure, predict and explain "
          "pipeline\\-parallel training schedules\n",
          stream);
    print_synopsis(stream);
    fputs(".SH DESCRIPTION\n"
          "A schedule says which rank computes which forward and backward pass, in "
          "which order.\n"
          "\\fBppsim\\fR executes it for real across MPI ranks, or simulates it on a "
          "cost model,\n"
          "and reports how much of the time the ranks were idle (the bubble), and "
          "why.\n"
          ".SH COMMANDS\n",
          stream);
    for (int c = 0; c < PP_COMMANDS; c++) {
        print_item(pp_commands[c].name, pp_commands[c].help, stream);
        if (pp_commands[c].note) {
            fputs(".IP\n", stream);
            print_text(pp_commands[c].note, stream);
            fputc('\n', stream);
        }
    }
    fputs(".SH OPTIONS\nA value follows its option as the next word, or behind "
          "\\(aq=\\(aq.\n",
          stream);
    for (int i = 0; i < pp_option_count; i++) {
        if (pp_docs_begins_group(i))
            fprintf(stream, ".SS %s\n", pp_role_title(pp_option_table[i].role));
        print_option(&pp_option_table[i], stream);
    }
    print_schedules(stream);
    fputs(".SH EXIT STATUS\n", stream);
    for (const struct pp_exit_status *row = pp_exit_statuses; row->status; row++)
        print_item(row->status, row->meaning, stream);
    fputs(".SH ENVIRONMENT\n", stream);
    print_items(pp_docs_environment, stream);
    fputs(".SH FILES\n", stream);
    print_items(pp_docs_files, stream);
    fputs(".SH EXAMPLES\n", stream);
    print_items(pp_docs_examples, stream);
    fputs(".SH SEE ALSO\n.BR mpirun (1),\n.BR gnuplot (1)\n", stream);
}
