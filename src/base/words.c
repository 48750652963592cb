#include "base/words.h"

#include <stdio.h>
#include <string.h>

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The length of the character that begins so; 1 for a byte that begins none. */
static size_t length_of(char lead)
{
    unsigned char byte = (unsigned char)lead;
    return byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
}

size_t pp_whole_characters(const char *text, size_t length)
{
    size_t lead = length;
    while (lead > 0 && length - lead < 4) {
        lead--;
        if (!continues(text[lead]))
            return lead + length_of(text[lead]) > length ? lead : length;
    }
    return length; /* no UTF-8: nothing to keep whole */
}

bool pp_append_list(char *text, size_t size, const char *format, va_list arguments)
{
    size_t used = strlen(text), room = size - used;
    int length = vsnprintf(text + used, room, format, arguments);
    if (length >= 0 && (size_t)length < room)
        return true;
    text[used + pp_whole_characters(text + used, strlen(text + used))] = '\0';
    return false;
}

bool pp_append(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool whole = pp_append_list(text, size, format, arguments);
    va_end(arguments);
    return whole;
}

bool pp_assign_list(char *text, size_t size, const char *format, va_list arguments)
{
    text[0] = '\0';
    return pp_append_list(text, size, format, arguments);
}

bool pp_assign(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool whole = pp_assign_list(text, size, format, arguments);
    va_end(arguments);
    return whole;
}

/* The length of the printable character at text, 0 where there is none. RFC 3629: the
 * shortest form, no surrogates, at most U+10FFFF. */
static size_t printable(const char *text)
{
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = length_of(text[0]);
    unsigned code = (unsigned char)text[0] & mask[length];
    if (continues(text[0]) || (unsigned char)text[0] >= 0xf8)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (!continues(text[i])) /* the end is no continuation */
            return 0;
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return control || surrogate || code < least[length] || code > 0x10ffff ? 0 : length;
}

void pp_make_printable(char *text)
{
    while (*text) {
        size_t length = printable(text);
        if (length == 0)
            *text = '?';
        text += length > 0 ? length : 1;
    }
}
