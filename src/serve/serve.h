/* The parent of the ranks that serves: HTTP on one side, the ranks on the other, and
 * between them the hub. It knows nothing of MPI. What it starts is told of the socket
 * by PP_SERVE_SOCKET (link_source.h), connects to it and says that it is ready. If the
 * ranks end, it lives on, says why, and starts them again when POST /reconnect asks for
 * that. */
#ifndef PP_SERVE_SERVE_H
#define PP_SERVE_SERVE_H

#include "base/error.h"
#include "serve/prompt.h"

struct pp_serve_config {
    const char *host;
    int port;             /* 0: the system picks one */
    const char *key_file; /* NULL: no key */
    int slots, queue;
    const char *model; /* its name */
    enum pp_turns turns;
    const struct pp_tokenizer *tokenizer;
    char *const *command; /* what starts the ranks: a path and its arguments */
};

/* Serves until a signal says to end: what is under way is finished then, unless a
 * second signal says to end at once. Sets *status to what this process is to exit with:
 * PP_DONE, PP_INTERRUPTED or PP_TERMINATED at a second signal; or, where the ranks did
 * not start, what they exited with, having said why. PP_BAD_INPUT for the host and the
 * key, PP_ENVIRONMENT for the port and the system. */
int pp_serve(const struct pp_serve_config *config, int *status, struct pp_error *error);

#endif
