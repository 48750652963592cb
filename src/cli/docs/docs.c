/* ppsim-docs man|markdown|bash|zsh: prints one of the texts. */
#include "cli/docs/docs.h"

#include <string.h>

#include "base/words.h"
#include "cli/terminal.h"
#include "schedules/catalogue.h"

const struct pp_docs_item pp_docs_environment[] = {
    {"NO_COLOR", "switches colour off where it is set to anything; '--color' always "
                 "switches it on again"},
    {"TERM", "dumb: no colour"},
    {"COLUMNS", "the width of timelines, where the terminal does not say it"},
    {"TMPDIR",
     "where pictures are drawn and the points of a sweep run; /tmp where it is "
     "not set"},
    {0},
};

const struct pp_docs_item pp_docs_files[] = {
    {"FILE.csv", "a schedule: a line per rank, an op per cell, as "
                 "torch.distributed.pipelining writes it; 'ppsim schedules convert' "
                 "makes one. Examples are installed in share/ppsim/examples."},
    {"REPORT.json",
     "a report, as '--json' writes it: schema ppsim.report/1; 'explain', "
     "'compare', 'plot', '--costs' and '--baseline' read it"},
    {"HISTORY.csv",
     "a row per result, as '--history' appends it; '--baseline' and 'plot' read it"},
    {"FILE.safetensors", "parameters, named and laid out as in Hugging Face's GPT-2"},
    {0},
};

const struct pp_docs_item pp_docs_examples[] = {
    {"ppsim --microbatches 16 --verify",
     "trains on 4 ranks under 1F1B, and compares with the sequential run"},
    {"ppsim simulate --schedule zb-h1 --cost f=1,i=1,w=1 --timeline",
     "draws a zero-bubble schedule whose ops all take 1 ms"},
    {"ppsim sweep --schedule gpipe,1f1b --ranks 2,4,8 --microbatches 4:64:x2",
     "tabulates the bubbles of 30 shapes"},
    {"ppsim simulate --check 'bubble<=0.30'", "exits with 1 if the bubble is larger"},
    {"ppsim --json run.json && ppsim explain run.json",
     "says why each rank was idle, and what would help"},
    {"ppsim plot run.json --plot timeline.svg", "draws what was measured"},
    {0},
};

const char *pp_docs_commands_of(const struct pp_option *option, char *text, size_t size)
{
    bool all = option->commands == (1 << PP_COMMANDS) - 1;
    pp_assign(text, size, "%s", all ? "all" : "");
    for (int c = 0; c < PP_COMMANDS && !all; c++) {
        if (pp_option_of(option, (enum pp_command)c))
            pp_append(text, size, "%s%s", text[0] ? ", " : "", pp_commands[c].name);
    }
    return text;
}

bool pp_docs_begins_group(int index)
{
    const struct pp_option *option = &pp_option_table[index];
    return index == 0 ||
           strcmp(pp_role_title(option[-1].role), pp_role_title(option->role)) != 0;
}

void pp_docs_schedules(FILE *stream)
{
    for (int i = 0; i < pp_catalogue_count(); i++) {
        const struct pp_scheduler *row = pp_catalogue_row(i);
        fprintf(stream, "%s%s", i > 0 ? " " : "", row->name);
        for (int a = 0; a < PP_MAX_ALIASES && row->aliases[a]; a++)
            fprintf(stream, " %s", row->aliases[a]);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(FILE *stream);
    } texts[] = {{"man", pp_docs_man},
                 {"markdown", pp_docs_markdown},
                 {"bash", pp_docs_bash},
                 {"zsh", pp_docs_zsh}};
    for (size_t i = 0; argc == 2 && i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(argv[1], texts[i].name) == 0) {
            texts[i].print(stdout);
            return pp_finish_output(PP_DONE);
        }
    }
    fputs("usage: ppsim-docs man|markdown|bash|zsh\n", stderr);
    return 2;
}
