#include "serve/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

void pp_listener_open(struct pp_listener *listener, struct pp_events *events,
                      struct pp_outlets *outlets, struct MHD_Connection *connection)
{
    enum { MOST_BYTES = 1 << 18 };
    *listener = (struct pp_listener){.outlet = {.most = MOST_BYTES}};
    pp_outlet_open(&listener->outlet, outlets, connection, true);
    listener->next = events->first;
    listener->link = &events->first;
    if (events->first)
        events->first->link = &listener->next;
    events->first = listener;
    events->count++;
}

void pp_listener_close(struct pp_listener *listener, struct pp_events *events)
{
    *listener->link = listener->next;
    if (listener->next)
        listener->next->link = listener->link;
    events->count--;
    pp_outlet_close(&listener->outlet);
}

static void send_text(struct pp_listener *listener, const char *text)
{
    struct pp_outlet *outlet = &listener->outlet;
    if (outlet->ended)
        return;
    if (text) {
        pp_bytes_add(&outlet->out, "data: ", 6);
        pp_bytes_add(&outlet->out, text, strlen(text));
        pp_bytes_add(&outlet->out, "\n\n", 2);
    } else {
        outlet->out.failed = true;
    }
    pp_outlet_wake(outlet);
}

void pp_listener_send(struct pp_listener *listener, const json_t *event)
{
    char *text = pp_json_dump(event, JSON_COMPACT);
    send_text(listener, text);
    free(text);
}

void pp_events_send(struct pp_events *events, const json_t *event)
{
    if (!events->first)
        return;
    char *text = pp_json_dump(event, JSON_COMPACT);
    for (struct pp_listener *listener = events->first; listener;
         listener = listener->next)
        send_text(listener, text);
    free(text);
}
