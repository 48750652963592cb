/* What the program's standard streams are, for progress, colour and width. */
#ifndef PP_CLI_TERMINAL_H
#define PP_CLI_TERMINAL_H

#include <stdbool.h>

struct pp_terminal {
    bool output, errors; /* stdout, stderr: is it a terminal? */
    int width;           /* columns; 80 where it is none */
};

/* Under mpiexec a rank's own streams are pipes and pseudo-terminals that tell nothing,
 * so the process that starts the ranks hands what it sees down in the environment. */
struct pp_terminal pp_terminal_detect(bool launched);
void pp_terminal_hand_down(const struct pp_terminal *terminal);

/* Colour on a stream of which it is known whether it is a terminal; choice is enum
 * pp_color. NO_COLOR (https://no-color.org) and TERM=dumb switch it off. */
bool pp_terminal_color(int choice, bool is_terminal);

#endif
