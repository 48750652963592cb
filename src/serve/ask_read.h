/* Reading a request's body, in one of three shapes. A field that ppsim has not is
 * refused by name, unless its value asks for nothing. */
#ifndef PP_SERVE_ASK_READ_H
#define PP_SERVE_ASK_READ_H

#include "base/error.h"
#include "serve/ask.h"

/* PP_BAD_INPUT says what is wrong, and param where; PP_ENVIRONMENT when out of memory.
 * To be released in any case. */
int pp_ask_parse(struct pp_ask *ask, enum pp_ask_shape shape, const char *body,
                 size_t size, struct pp_error *error);

#endif
