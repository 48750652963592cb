/* The ranks as serve's parent sees them: a child that starts and supervises them
 * (run/launch.h), is in a process group of its own, and says on its standard error why
 * they ended. */
#ifndef PP_SERVE_RANKS_H
#define PP_SERVE_RANKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct pp_ranks {
    pid_t child; /* 0: there is none */
    int said;    /* what it says comes here; -1 */
    char line[1024];
    size_t length;
    char reason[1024]; /* the last line it said of itself, without "ppsim: "; or "" */
};

void pp_ranks_init(struct pp_ranks *ranks);

/* Starts the command, ended by NULL, whose first word is its path, with the variable
 * set in its environment. It gets SIGTERM if this thread ends: this is to be called by
 * the main thread. PP_ENVIRONMENT. */
int pp_ranks_start(struct pp_ranks *ranks, char *const *command, const char *variable,
                   const char *value, struct pp_error *error);

/* Passes on to standard error what they have said, and keeps the reason. */
void pp_ranks_listen(struct pp_ranks *ranks);

/* Has the child ended, and so all ranks? Then *status is its exit status, or 128 and
 * the signal's number; and there is no child any more. */
bool pp_ranks_ended(struct pp_ranks *ranks, int *status);

/* Asks the child to end, and the second time a second or more later, to end at once
 * (base/child.h); or kills it. It has ended when pp_ranks_ended says so. */
void pp_ranks_end(const struct pp_ranks *ranks, bool kill_it);

#endif
