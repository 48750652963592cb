/* UTF-8, a character at a time (RFC 3629; Unicode 14, section 3.9, table 3-7). */
#ifndef PP_TEXT_UTF8_H
#define PP_TEXT_UTF8_H

#include <stddef.h>

enum pp_utf8 {
    PP_UTF8_WHOLE,   /* a character */
    PP_UTF8_CUT,     /* the begin of one: the text ends there */
    PP_UTF8_INVALID, /* no character: one byte, or the begin of one that does not go on
                      */
};

/* What the text, which has length >= 1 bytes, begins with, and how many bytes that is:
 * where it is invalid, those of a maximal subpart. */
enum pp_utf8 pp_utf8_next(const char *text, size_t length, size_t *bytes);

#endif
