/* A fast writer for files of millions of short pieces: text is collected in one large
 * buffer, numbers are formatted by hand. */
#ifndef PP_REPORT_EXPORT_TEXT_H
#define PP_REPORT_EXPORT_TEXT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { PP_TEXT_BUFFER = 1 << 16 };

struct pp_text {
    FILE *stream; /* ask it for errors at the end (ferror) */
    size_t used;
    char buffer[PP_TEXT_BUFFER];
};

/* Writes what has been collected to the stream. Call it at the end. */
void pp_text_flush(struct pp_text *text);

/* Writes value * 10^-places exactly, without trailing zeros: (1500, 3) is 1.5. With
 * places = 9, ns become seconds; with 3, microseconds. 0 <= places <= 18. */
void pp_text_decimal(struct pp_text *text, int64_t value, int places);

static inline void pp_text_bytes(struct pp_text *text, const char *bytes, size_t count)
{
    if (text->used + count > sizeof text->buffer)
        pp_text_flush(text);
    memcpy(text->buffer + text->used, bytes, count);
    text->used += count;
}

/* Shorter than the buffer. Inline, so that the length of a literal is known. */
static inline void pp_text_put(struct pp_text *text, const char *string)
{
    pp_text_bytes(text, string, strlen(string));
}

static inline void pp_text_char(struct pp_text *text, char c)
{
    pp_text_bytes(text, &c, 1);
}

static inline void pp_text_int(struct pp_text *text, int64_t value)
{
    pp_text_decimal(text, value, 0);
}

static inline void pp_text_seconds(struct pp_text *text, int64_t ns)
{
    pp_text_decimal(text, ns, 9);
}

#endif
