/* Texts at which a sequence stops. They are found wherever tokens end, in what their
 * bytes are together; the text is cut before the one whose end comes first (of several
 * that end at once, before the longest). Bytes that may become one are held back. */
#ifndef PP_GENERATE_STOPPER_H
#define PP_GENERATE_STOPPER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct pp_stopper {
    const char *const *stops; /* [count] not empty; borrowed */
    int count;
    char
        *held; /* [held_bytes] at most one less than the longest, then what is pushed */
    size_t held_bytes, capacity;
    size_t given; /* of held, in the last push */
};

void pp_stopper_init(struct pp_stopper *stopper, const char *const *stops, int count);
void pp_stopper_release(struct pp_stopper *stopper);

/* More text has come. Sets *out (*out_length; valid until the next call) to what is
 * certain to stay, and *found where a stop has come: then nothing more is to be pushed.
 * PP_ENVIRONMENT when out of memory. */
int pp_stopper_push(struct pp_stopper *stopper, const char *text, size_t length,
                    const char **out, size_t *out_length, bool *found,
                    struct pp_error *error);

/* No more comes: what was held back. Another text may begin. */
void pp_stopper_finish(struct pp_stopper *stopper, const char **out,
                       size_t *out_length);

#endif
