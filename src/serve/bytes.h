/* Bytes that grow at their end and are used up from their beginning: what goes to a
 * client, what came from the ranks. */
#ifndef PP_SERVE_BYTES_H
#define PP_SERVE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialised it is empty. */
struct pp_bytes {
    char *all; /* [room] owned */
    size_t from, to, room;
    bool failed; /* there was no memory for something that was added: it lacks it */
};

void pp_bytes_release(struct pp_bytes *bytes);

/* The bytes that it holds, and how many. */
static inline char *pp_bytes_at(const struct pp_bytes *bytes)
{
    return bytes->all + bytes->from;
}
static inline size_t pp_bytes_count(const struct pp_bytes *bytes)
{
    return bytes->to - bytes->from;
}

/* Room for `count` more at the end, not yet added: NULL when out of memory. */
char *pp_bytes_room(struct pp_bytes *bytes, size_t count);
/* So many of them are set now. */
void pp_bytes_grown(struct pp_bytes *bytes, size_t count);

void pp_bytes_add(struct pp_bytes *bytes, const void *more, size_t count);
__attribute__((format(printf, 2, 3))) void pp_bytes_print(struct pp_bytes *bytes,
                                                          const char *format, ...);

/* The first `count` are done with. */
void pp_bytes_drop(struct pp_bytes *bytes, size_t count);

#endif
