/* The standard streams: which text goes where, with what colour and width. */
#ifndef PP_CLI_TERMINAL_H
#define PP_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/options.h"
#include "report/report.h"

struct pp_terminal {
    bool input, output, errors; /* stdin, stdout, stderr: is it a terminal? */
    int width;                  /* columns; 80 where it is none */
};

/* What the standard streams are. A rank's own streams lead to mpiexec, whatever the
 * user has, so the process that starts the ranks hands down what it sees in the
 * environment; launched: read it from there. */
struct pp_terminal pp_terminal_detect(bool launched);
void pp_terminal_hand_down(const struct pp_terminal *terminal);

/* Is text on a stream coloured? choice is enum pp_color. NO_COLOR
 * (https://no-color.org) and TERM=dumb switch it off. */
bool pp_terminal_color(int choice, bool is_terminal);

/* Where text for people goes: stdout, or stderr where stdout carries data alone. */
FILE *pp_text_stream(const struct pp_options *options);
/* Where the text that is generated goes: likewise. What is said of it goes to stderr.
 */
FILE *pp_generated_stream(const struct pp_options *options);
/* Where verdicts go: stdout, or stderr where stdout carries a file. */
FILE *pp_verdict_stream(const struct pp_options *options);
bool pp_text_is_terminal(const struct pp_options *options,
                         const struct pp_terminal *terminal);

/* Says something on stderr that is no error: one line, as an error's is printed. */
__attribute__((format(printf, 1, 2))) void pp_say(const char *format, ...);

/* Says on stderr that a report's file, just written, lacks the timeline, if it does. */
void pp_say_dropped(const struct pp_report *report, const char *path);

/* Prints each line of an error to stderr behind "ppsim: ". Returns its status, which
 * is the one to exit with. */
int pp_print_error(const struct pp_error *error);

/* At the end of a program: text that did not reach stdout's reader is a failure.
 * Returns the status to exit with. */
int pp_finish_output(int status);

#endif
