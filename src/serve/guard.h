/* Who may ask. A web page of anybody may make its visitor's browser send requests to
 * this machine, so a request is looked at before its body is read:
 *
 *   Host           names this server, or a name that another site gave this address
 *                  (DNS rebinding) would be as good as ours. Not asked where there is a
 *                  key, which such a site does not know
 *   Authorization  the key, where there is one
 *   Content-Type   application/json for what is posted: a browser sends that to another
 *                  site only if that allows it, and no answer of this one does
 */
#ifndef PP_SERVE_GUARD_H
#define PP_SERVE_GUARD_H

#include "base/error.h"
#include "serve/respond.h"

enum { PP_KEY_LEAST = 16, PP_KEY_MOST = 512 };

struct pp_guard {
    const char *host;          /* as it was given; borrowed */
    char key[PP_KEY_MOST + 1]; /* "": there is none */
};

/* Reads the key: the file's first line. PP_BAD_INPUT where that is no key, or others
 * may read the file. */
int pp_guard_read_key(struct pp_guard *guard, const char *path, struct pp_error *error);

/* Does the host's text, a name or an address without a port, mean this machine alone?
 */
bool pp_guard_is_local(const char *host);

/* Sets the refusal where the request is to be refused. open: without a key too. */
void pp_guard_check(const struct pp_guard *guard, struct MHD_Connection *connection,
                    const char *method, bool open, struct pp_refusal *refusal);

/* Is it one of the names of this server, with or without a port? For tests. */
bool pp_guard_knows(const struct pp_guard *guard, const char *host);
/* Is it "application/json", with or without parameters? */
bool pp_guard_is_json(const char *type);
/* Is it "Bearer" and the key? In a time that says nothing of the key but its length. */
bool pp_guard_has_key(const struct pp_guard *guard, const char *authorization);

#endif
