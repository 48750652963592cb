/* The symbols of GPT-2's files: a printable character for each byte, so that a token's
 * name is a word. '!' to '~', U+00A1 to U+00AC and U+00AE to U+00FF stand for
 * themselves, as in Latin-1; the other 68 bytes, ascending, are U+0100 to U+0143. */
#ifndef PP_TEXT_ALPHABET_H
#define PP_TEXT_ALPHABET_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes that a name in UTF-8 stands for: writes at most length, sets *count.
 * Returns false where a character is no symbol. */
bool pp_alphabet_read(const char *name, size_t length, char *bytes, size_t *count);

/* The name of count bytes: writes at most 2 * count, and a 0 behind. */
void pp_alphabet_write(const char *bytes, size_t count, char *name);

/* The byte of the n-th symbol in the order of their characters: that of GPT-2's ids. */
unsigned char pp_alphabet_byte(int n);

#endif
