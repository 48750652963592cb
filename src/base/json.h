/* Building JSON when memory may run out: what cannot be added leaves NULL in place of
 * the object or array, and NULL it stays, so that who builds one looks once, at its
 * end.
 */
#ifndef PP_BASE_JSON_H
#define PP_BASE_JSON_H

#include <stdbool.h>

#include <jansson.h>

/* Sets a member, or appends an item; takes the value over, also on failure. A value of
 * NULL is one that could not be made. */
void pp_json_set(json_t **object, const char *key, json_t *value);
void pp_json_append(json_t **array, json_t *item);

/* Was it memory that a text could not be read for, and not the text? errno is to be 0
 * before it is read. */
bool pp_json_starved(const json_error_t *problem);

#endif
