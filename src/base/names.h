/* Lists of valid names, and the nearest to one that is not. */
#ifndef PP_BASE_NAMES_H
#define PP_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* The name that begins so, or is fewest edits away (Levenshtein), if near enough to be
 * meant; else NULL.
 * names ends with NULL. */
const char *pp_names_nearest(const char *const *names, const char *name);

/* Is name one of them? */
bool pp_names_in(const char *const *names, const char *name);

/* Writes "a, b and c" into text. */
void pp_names_list(const char *const *names, char *text, size_t size);

#endif
