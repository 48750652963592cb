/* Output files that are either whole or not there: written under a temporary name in
 * the same directory, renamed over the path when complete. Paths that are not regular
 * files (/dev/null, a pipe) are written in place; "-" is standard output. */
#ifndef PP_BASE_OUTPUT_H
#define PP_BASE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

struct pp_output {
    FILE *stream; /* NULL once committed or abandoned */
    char *path;   /* as the user gave it */
    char *target; /* path with symbolic links followed; NULL where written in place */
    char *temporary;             /* beside target; NULL where written in place */
    bool in_place;               /* a device or a pipe, */
    void (*at_broken_pipe)(int); /* and what SIGPIPE did before */
};

/* Can the path be written? Tried for real, leaving nothing behind. Used before a long
 * run starts. PP_BAD_INPUT names the path and the reason. */
int pp_output_check(const char *path, struct pp_error *error);

/* Do both paths lead to one file, existing or to be? Not where what is written has no
 * content to lose: standard output, devices, pipes. */
bool pp_output_same(const char *a, const char *b);

/* Opens output->stream for writing. Errors as pp_output_check. A new file gets the
 * permissions that the umask allows, an existing one keeps its own. */
int pp_output_open(struct pp_output *output, const char *path, struct pp_error *error);
/* Is all that was written on disk? PP_ENVIRONMENT where it is not: only abandon is left
 * to do. For who has something else to do between this and commit. */
int pp_output_sync(struct pp_output *output, struct pp_error *error);
/* Flushes and moves into place: PP_ENVIRONMENT if the disk is full. Closes either way,
 * leaving an older file of that path untouched on failure. */
int pp_output_commit(struct pp_output *output, struct pp_error *error);
/* Removes what writers of that path that were killed have left beside it. */
void pp_output_tidy(const char *path);
/* Closes and removes the temporary file. Does nothing after commit. */
void pp_output_abandon(struct pp_output *output);

#endif
