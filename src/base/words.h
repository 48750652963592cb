/* Short texts in buffers of a fixed size. What does not fit is cut behind a whole UTF-8
 * character: a file, a message or a JSON string that holds half of one is not valid. */
#ifndef PP_BASE_WORDS_H
#define PP_BASE_WORDS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Appends what is formatted to what text holds; size is that of the whole buffer, at
 * least 1. Returns whether all of it fitted. No argument may point into text. */
__attribute__((format(printf, 3, 4))) bool pp_append(char *text, size_t size,
                                                     const char *format, ...);
__attribute__((format(printf, 3, 0))) bool
pp_append_list(char *text, size_t size, const char *format, va_list arguments);

/* The same, in place of what text holds, which need not be set yet. */
__attribute__((format(printf, 3, 4))) bool pp_assign(char *text, size_t size,
                                                     const char *format, ...);
__attribute__((format(printf, 3, 0))) bool
pp_assign_list(char *text, size_t size, const char *format, va_list arguments);

/* Puts '?' for each control character and each byte that is not part of a UTF-8
 * character: for names and texts that come from outside. */
void pp_make_printable(char *text);

/* How many of the length bytes at text to keep, so that the last character is whole. */
size_t pp_whole_characters(const char *text, size_t length);

#endif
