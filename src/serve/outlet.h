/* What goes to a client over a connection that waits: a stream of events
 * (text/event-stream), or one answer that is not yet there.
 *
 * libmicrohttpd neither times out a suspended connection nor notices that its client
 * has left. So an outlet is looked at often: a client that has left is noted, and a
 * stream that has nothing to say sends a comment, which shows those in between that it
 * lives. All but the reader is called with the lock held that the outlets share. */
#ifndef PP_SERVE_OUTLET_H
#define PP_SERVE_OUTLET_H

#include <microhttpd.h>
#include <pthread.h>

#include "serve/bytes.h"

struct pp_outlet {
    struct pp_outlets *all;
    struct pp_outlet *next, *previous;
    struct MHD_Connection *connection; /* NULL: it is not open */
    int socket;
    bool stream;
    size_t most;   /* bytes that may wait for the client: more, and it is cut off */
    bool asleep;   /* MHD has suspended the connection */
    bool ended;    /* nothing more is added */
    bool left;     /* the client has left, or is cut off */
    double spoken; /* when something was last added, in s of pp_now_s */
    struct pp_bytes out;
    void (*on_left)(struct pp_outlet *outlet); /* once; NULL */
    void *data;                                /* on_left's own */
};

struct pp_outlets {
    pthread_mutex_t *lock; /* borrowed */
    struct pp_outlet *first;
    int count;
    bool closed; /* a new one is cut off at once */
};

/* Seconds of the monotonic clock. */
double pp_now_s(void);

/* The outlet's other members are zero but `most`, on_left and data. */
void pp_outlet_open(struct pp_outlet *outlet, struct pp_outlets *all,
                    struct MHD_Connection *connection, bool stream);
/* Does nothing where it is not open. */
void pp_outlet_close(struct pp_outlet *outlet);

/* In MHD's thread, in its callbacks alone: until pp_outlet_wake. Not where the client
 * is cut off: MHD then asks again at once, and is told so. */
void pp_outlet_sleep(struct pp_outlet *outlet);
/* Something was added, or it has ended. */
void pp_outlet_wake(struct pp_outlet *outlet);
/* The client is cut off. */
void pp_outlet_cut(struct pp_outlet *outlet);

/* MHD's reader of a stream: cls is the outlet. */
ssize_t pp_outlet_read(void *cls, uint64_t position, char *into, size_t most);

/* Several times a second: who has left, and who is to hear that the server lives. */
void pp_outlets_look(struct pp_outlets *outlets);
/* Cuts off all, and all that are opened from now on. */
void pp_outlets_close(struct pp_outlets *outlets);

#endif
