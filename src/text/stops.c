#include "text/stops.h"

#include <stdlib.h>
#include <string.h>

void pp_stops_init(struct pp_stops *stops, const struct pp_stop *list, int count)
{
    *stops = (struct pp_stops){.count = count};
    if (count > 0)
        memcpy(stops->stops, list, (size_t)count * sizeof *list);
}

void pp_stops_release(struct pp_stops *stops)
{
    free(stops->held);
    *stops = (struct pp_stops){0};
}

/* What was returned is gone. */
static void drop_returned(struct pp_stops *stops)
{
    stops->bytes -= stops->returned;
    if (stops->bytes > 0)
        memmove(stops->held, stops->held + stops->returned, stops->bytes);
    stops->returned = 0;
}

/* Does one of the stops end at `end`? Then *begin is where the longest of them begins.
 */
static bool ends_at(const struct pp_stops *stops, size_t end, size_t *begin)
{
    bool found = false;
    for (int i = 0; i < stops->count; i++) {
        const struct pp_stop *stop = &stops->stops[i];
        if (stop->length > end || (found && end - stop->length > *begin) ||
            memcmp(stops->held + end - stop->length, stop->text, stop->length) != 0)
            continue;
        found = true;
        *begin = end - stop->length;
    }
    return found;
}

/* May a stop have begun at `at`, of which all that is held from there is a part? */
static bool begins_at(const struct pp_stops *stops, size_t at)
{
    size_t left = stops->bytes - at;
    for (int i = 0; i < stops->count; i++) {
        const struct pp_stop *stop = &stops->stops[i];
        if (left < stop->length && memcmp(stops->held + at, stop->text, left) == 0)
            return true;
    }
    return false;
}

/* How much of what is held is text: up to the stop that ends first, or else up to where
 * one may have begun. */
static size_t find(struct pp_stops *stops)
{
    size_t at = 0;
    for (size_t end = 1; end <= stops->bytes; end++) {
        if (ends_at(stops, end, &at)) {
            stops->found = true;
            return at;
        }
    }
    while (at < stops->bytes && !begins_at(stops, at))
        at++;
    return at;
}

int pp_stops_push(struct pp_stops *stops, const char *piece, size_t bytes,
                  const char **text, size_t *length, struct pp_error *error)
{
    *text = "";
    *length = 0;
    if (stops->found)
        return 0;
    drop_returned(stops);
    if (stops->bytes + bytes > stops->room) {
        size_t room = 2 * (stops->bytes + bytes);
        char *held = realloc(stops->held, room);
        if (!held)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for a text");
        stops->held = held;
        stops->room = room;
    }
    if (bytes == 0)
        return 0;
    memcpy(stops->held + stops->bytes, piece, bytes);
    stops->bytes += bytes;
    stops->returned = find(stops);
    *text = stops->held;
    *length = stops->returned;
    return 0;
}

void pp_stops_finish(struct pp_stops *stops, const char **text, size_t *length)
{
    drop_returned(stops);
    *text = stops->bytes > 0 && !stops->found ? stops->held : "";
    *length = stops->found ? 0 : stops->bytes;
    stops->returned = stops->bytes;
}
