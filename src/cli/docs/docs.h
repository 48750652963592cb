/* Texts made from the rows of commands, options and schedules at build time. */
#ifndef PP_CLI_DOCS_DOCS_H
#define PP_CLI_DOCS_DOCS_H

#include <stdio.h>

#include "cli/command.h"
#include "cli/option_table.h"

void pp_docs_man(FILE *stream);      /* ppsim(1), as roff */
void pp_docs_markdown(FILE *stream); /* docs/options.md */
void pp_docs_bash(FILE *stream);     /* completion for bash, by itself */
void pp_docs_zsh(FILE *stream);      /* completion for zsh, a function _ppsim */

/* A term and what it means. */
struct pp_docs_item {
    const char *term, *meaning;
};

/* What a man page says beyond options; each ended by {0}. */
extern const struct pp_docs_item pp_docs_environment[], pp_docs_files[],
    pp_docs_examples[]; /* a command, and what it shows */

/* "run, simulate", or "all" where every command takes the option. */
const char *pp_docs_commands_of(const struct pp_option *option, char *text,
                                size_t size);

/* Does the option stand under another title than the row before it? */
bool pp_docs_begins_group(int index);

/* Prints the names of all schedules, aliases too, with spaces between. */
void pp_docs_schedules(FILE *stream);

#endif
