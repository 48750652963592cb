/* Lists of valid names, and the nearest to one that is not. */
#ifndef PP_BASE_NAMES_H
#define PP_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* What was probably meant: the first name that begins with the text, or else the one
 * with the fewest edits (Levenshtein) between them, if they are few. Upper and lower
 * case are alike. NULL where there is none. names ends with NULL. */
const char *pp_names_nearest(const char *const *names, const char *name);

/* Is name one of them? */
bool pp_names_in(const char *const *names, const char *name);

/* Writes "a, b and c" into text, cut where it does not fit. */
void pp_names_list(const char *const *names, char *text, size_t size);

#endif
