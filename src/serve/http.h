/* The HTTP server: connections, their deadlines, and what is asked of which route. One
 * thread of libmicrohttpd's answers all; it waits for nobody. */
#ifndef PP_SERVE_HTTP_H
#define PP_SERVE_HTTP_H

#include "serve/guard.h"
#include "serve/hub.h"

struct pp_connection {
    struct pp_connection *next, **link;
    int socket;
    double deadline; /* in s of pp_now_s: a whole request is to be there; 0: it is */
};

struct pp_http {
    struct MHD_Daemon *daemon;
    struct pp_hub *hub;
    struct pp_guard guard;
    struct pp_connection *connections; /* under the hub's lock, as are theirs */
};

/* Begins to answer on the socket, which it takes over, also on failure. hub and guard
 * are set. PP_ENVIRONMENT. */
int pp_http_start(struct pp_http *http, int listening, struct pp_error *error);
/* Several times a second, with the hub's lock held: closes connections on which no
 * whole request has come in time. */
void pp_http_look(struct pp_http *http);
/* Sends what there is to send, as far as it goes at once, and ends. The hub's outlets
 * are closed. */
void pp_http_stop(struct pp_http *http);

#endif
