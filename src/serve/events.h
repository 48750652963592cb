/* Who listens to what the ranks do (GET /events): each has its own outlet, and who does
 * not keep up is cut off, so that nobody waits for anybody. Under the hub's lock. */
#ifndef PP_SERVE_EVENTS_H
#define PP_SERVE_EVENTS_H

#include <jansson.h>

#include "serve/outlet.h"

enum { PP_MOST_LISTENERS = 32 };

struct pp_listener {
    struct pp_outlet outlet;
    struct pp_listener *next, **link;
};

struct pp_events {
    struct pp_listener *first;
    int count;
};

void pp_listener_open(struct pp_listener *listener, struct pp_events *events,
                      struct pp_outlets *outlets, struct MHD_Connection *connection);
void pp_listener_close(struct pp_listener *listener, struct pp_events *events);

/* Sends an event to all. Borrows it. */
void pp_events_send(struct pp_events *events, const json_t *event);
/* The same to one. */
void pp_listener_send(struct pp_listener *listener, const json_t *event);

#endif
