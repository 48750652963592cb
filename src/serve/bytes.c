#include "serve/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 1024, KEPT = 1 << 16 };

void pp_bytes_release(struct pp_bytes *bytes)
{
    free(bytes->all);
    *bytes = (struct pp_bytes){0};
}

char *pp_bytes_room(struct pp_bytes *bytes, size_t count)
{
    size_t held = pp_bytes_count(bytes);
    if (bytes->from > 0 && bytes->to + count > bytes->room) {
        memmove(bytes->all, pp_bytes_at(bytes), held);
        bytes->from = 0;
        bytes->to = held;
    }
    if (bytes->to + count > bytes->room) {
        size_t room = 2 * (held + count) > LEAST ? 2 * (held + count) : LEAST;
        char *all = realloc(bytes->all, room);
        if (!all) {
            bytes->failed = true;
            return NULL;
        }
        bytes->all = all;
        bytes->room = room;
    }
    return bytes->all + bytes->to;
}

void pp_bytes_grown(struct pp_bytes *bytes, size_t count)
{
    bytes->to += count;
}

void pp_bytes_add(struct pp_bytes *bytes, const void *more, size_t count)
{
    char *room = count > 0 ? pp_bytes_room(bytes, count) : NULL;
    if (!room)
        return;
    memcpy(room, more, count);
    pp_bytes_grown(bytes, count);
}

void pp_bytes_print(struct pp_bytes *bytes, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        bytes->failed = true;
        return;
    }
    pp_bytes_add(bytes, text, (size_t)length);
    free(text);
}

void pp_bytes_drop(struct pp_bytes *bytes, size_t count)
{
    bytes->from += count;
    if (bytes->from < bytes->to)
        return;
    bytes->from = bytes->to = 0;
    /* One long answer is no reason to hold so much for ever. */
    if (bytes->room > KEPT) {
        free(bytes->all);
        bytes->all = NULL;
        bytes->room = 0;
    }
}
