#include "generate/stopper.h"

#include <stdlib.h>
#include <string.h>

void pp_stopper_init(struct pp_stopper *stopper, const char *const *stops, int count)
{
    *stopper = (struct pp_stopper){.stops = stops, .count = count};
}

void pp_stopper_release(struct pp_stopper *stopper)
{
    free(stopper->held);
    *stopper = (struct pp_stopper){0};
}

/* The length of the longest stop that the text ends with; 0: it ends with none. */
static size_t stop_at_end(const struct pp_stopper *stopper, const char *text,
                          size_t length)
{
    size_t longest = 0;
    for (int i = 0; i < stopper->count; i++) {
        size_t size = strlen(stopper->stops[i]);
        if (size > longest && size <= length &&
            memcmp(text + length - size, stopper->stops[i], size) == 0)
            longest = size;
    }
    return longest;
}

/* How many bytes at the text's end may become a stop: those that one begins with. */
static size_t begun_at_end(const struct pp_stopper *stopper, const char *text,
                           size_t length)
{
    size_t longest = 0;
    for (int i = 0; i < stopper->count; i++) {
        size_t size = strlen(stopper->stops[i]) - 1;
        for (size = size < length ? size : length; size > longest; size--) {
            if (memcmp(text + length - size, stopper->stops[i], size) == 0)
                longest = size;
        }
    }
    return longest;
}

/* What the last push has given goes; the text is put behind what is held. */
static int take_in(struct pp_stopper *stopper, const char *text, size_t length,
                   struct pp_error *error)
{
    stopper->held_bytes -= stopper->given;
    if (stopper->given > 0)
        memmove(stopper->held, stopper->held + stopper->given, stopper->held_bytes);
    stopper->given = 0;
    size_t needed = stopper->held_bytes + length;
    if (needed > stopper->capacity) {
        char *more = realloc(stopper->held, 2 * needed);
        if (!more)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu bytes of text",
                           2 * needed);
        stopper->held = more;
        stopper->capacity = 2 * needed;
    }
    if (length > 0)
        memcpy(stopper->held + stopper->held_bytes, text, length);
    stopper->held_bytes = needed;
    return 0;
}

int pp_stopper_push(struct pp_stopper *stopper, const char *text, size_t length,
                    const char **out, size_t *out_length, bool *found,
                    struct pp_error *error)
{
    size_t before = stopper->held_bytes - stopper->given;
    if (take_in(stopper, text, length, error) != 0)
        return -1;
    *out = stopper->held;
    *found = false;
    for (size_t end = before + 1; end <= stopper->held_bytes; end++) {
        size_t size = stop_at_end(stopper, stopper->held, end);
        if (size == 0)
            continue;
        *found = true;
        *out_length = end - size;
        stopper->given = stopper->held_bytes;
        return 0;
    }
    *out_length =
        stopper->held_bytes - begun_at_end(stopper, stopper->held, stopper->held_bytes);
    stopper->given = *out_length;
    return 0;
}

void pp_stopper_finish(struct pp_stopper *stopper, const char **out, size_t *out_length)
{
    *out = stopper->held ? stopper->held + stopper->given : "";
    *out_length = stopper->held_bytes - stopper->given;
    stopper->given = stopper->held_bytes;
}
