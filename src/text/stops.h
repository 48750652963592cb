/* Texts at which a generated text is to stop: at the one that ends first, which is left
 * out. The text comes in pieces, wherever they are cut, and a stop may lie across
 * several: what could be the begin of one is held back until that is known. */
#ifndef PP_TEXT_STOPS_H
#define PP_TEXT_STOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { PP_MOST_STOPS = 16 };

struct pp_stop {
    const char *text; /* [length] borrowed; UTF-8, so that no character is cut by it */
    size_t length;    /* at least 1 */
};

struct pp_stops {
    struct pp_stop stops[PP_MOST_STOPS];
    int count;
    char *held; /* [room] owned: what was returned last, then what is held back */
    size_t returned, bytes, room;
    bool found; /* a stop has come: there is no more text */
};

/* The stops are copied, their texts borrowed. */
void pp_stops_init(struct pp_stops *stops, const struct pp_stop *list, int count);
void pp_stops_release(struct pp_stops *stops);

/* Takes the next piece. Sets *text (*length; valid until the next call) to what is no
 * part of a stop, and *text ends before the first stop if one has come (found).
 * PP_ENVIRONMENT: no memory. */
int pp_stops_push(struct pp_stops *stops, const char *piece, size_t bytes,
                  const char **text, size_t *length, struct pp_error *error);
/* At the end of the text: what is held back. */
void pp_stops_finish(struct pp_stops *stops, const char **text, size_t *length);

#endif
