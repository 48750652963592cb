/* One request over HTTP and its answer, from its header to its end. */
#ifndef PP_SERVE_EXCHANGE_H
#define PP_SERVE_EXCHANGE_H

#include "serve/hub.h"
#include "serve/respond.h"

enum { PP_MOST_BODY = 1 << 20 };

struct pp_exchange {
    struct pp_hub *hub;
    const struct pp_route *route;
    struct pp_refusal refusal; /* its status is set: that is the answer */
    struct pp_bytes body;
    size_t received;
    /* What is there for as long as the client waits. */
    bool has_job; /* the job is the hub's, under its lock */
    struct pp_job job;
    struct pp_listener *listener; /* owned; NULL */
};

/* Called when the request is there whole, and again when a connection that slept wakes
 * up. Queues the answer, sleeps, or returns MHD_NO to cut the client off. */
typedef enum MHD_Result (*pp_handler)(struct pp_exchange *exchange,
                                      struct MHD_Connection *connection);

struct pp_route {
    const char *path, *method;
    bool open; /* also without the key */
    pp_handler handle;
};

/* Ended by a row without a path. */
extern const struct pp_route pp_routes[];

/* routes.c, and the three that generate. */
enum MHD_Result pp_handle_completions(struct pp_exchange *exchange,
                                      struct MHD_Connection *connection);
enum MHD_Result pp_handle_chat_completions(struct pp_exchange *exchange,
                                           struct MHD_Connection *connection);
enum MHD_Result pp_handle_chat(struct pp_exchange *exchange,
                               struct MHD_Connection *connection);
/* Its client has its answer, or has left. */
void pp_exchange_free(struct pp_exchange *exchange);

#endif
