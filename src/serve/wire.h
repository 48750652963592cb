/* Lines of JSON over a socket, both ways: what the parent and rank 0 say to each other
 * (link.h). Both are this program; neither may be kept waiting by the other. */
#ifndef PP_SERVE_WIRE_H
#define PP_SERVE_WIRE_H

#include <jansson.h>

#include "serve/bytes.h"

struct pp_wire {
    int fd; /* owned; -1: there is none */
    struct pp_bytes in, out;
    bool ended; /* the other side has, or what it says is not this */
};

/* Takes the socket over. */
void pp_wire_init(struct pp_wire *wire, int fd);
void pp_wire_release(struct pp_wire *wire);

/* Adds a line to what is to be written; takes the message over. Where there is no
 * memory for it the wire has ended. */
void pp_wire_add(struct pp_wire *wire, json_t *message);
/* Writes; what does not go now stays, unless it waits. */
void pp_wire_write(struct pp_wire *wire, bool wait);
/* Is there something to be written? */
bool pp_wire_waits(const struct pp_wire *wire);

/* Reads what has come, without waiting. */
void pp_wire_read(struct pp_wire *wire);
/* The next whole line of what was read, to be freed; NULL: there is none. */
json_t *pp_wire_next(struct pp_wire *wire);

#endif
