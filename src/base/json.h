/* Building JSON when memory may run out: what cannot be added leaves NULL in place of
 * the object or array, and NULL it stays, so that who builds one looks once, at its
 * end.
 */
#ifndef PP_BASE_JSON_H
#define PP_BASE_JSON_H

#include <stdbool.h>

#include <jansson.h>

#include "base/error.h"

/* Sets a member, or appends an item; takes the value over, also on failure. A value of
 * NULL is one that could not be made. */
void pp_json_set(json_t **object, const char *key, json_t *value);
void pp_json_append(json_t **array, json_t *item);

/* A new object with the same members; NULL when out of memory: Jansson's own leaves out
 * those that it had none for. */
json_t *pp_json_copy(const json_t *object);

/* The value as text, to be freed; NULL when out of memory, or for NULL. Where
 * json_dumps has no memory to go on with a key, it leaves the key out. */
char *pp_json_dump(const json_t *value, size_t flags);

/* Is there room to read a text of so many bytes? Where there is none, Jansson 2.14
 * loses a character of a string, and then writes past its end: so what a list of small
 * lists needs, which is most, is asked for before. */
bool pp_json_has_room(size_t bytes);

/* Was it memory that a text could not be read for, and not the text? errno is to be 0
 * before it is read. */
bool pp_json_starved(const json_error_t *problem);

/* Reads a file that holds one JSON value; no key of an object may stand in it twice.
 * NULL with the error set: PP_BAD_INPUT where it cannot be read, or is not JSON, for
 * which the message says that it `is`: "is damaged"; PP_ENVIRONMENT. */
json_t *pp_json_read(const char *path, const char *is, struct pp_error *error);

#endif
