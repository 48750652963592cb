/* Text broken into lines of a terminal. */
#ifndef PP_BASE_WRAP_H
#define PP_BASE_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How many columns the first bytes of a text in UTF-8 take; every character that is
 * printed here takes one. */
int pp_columns(const char *text, size_t bytes);

/* Prints words on a line that has reached the column, then ends it. A line that would
 * be longer than 80 columns is broken; the next one begins behind the indent, and so
 * does the first if the column is before it. list: break only behind an item, which
 * ends with ',' or '·'. */
void pp_print_wrapped(FILE *stream, const char *text, int column, int indent,
                      bool list);

#endif
