/* Reading an object's values into a structure, by the rows of its keys. */
#ifndef PP_REPORT_EXPORT_JSON_READ_KEYS_H
#define PP_REPORT_EXPORT_JSON_READ_KEYS_H

#include "report/export/json_keys.h"
#include "report/export/json_reader.h"

/* Fills in the fields of base that the rows name; those that are no fields, or are
 * derived, are left to the caller. base owns the lists, also after a failure. */
void pp_json_read_keys(struct pp_reader *reader, const struct pp_node *object,
                       const struct pp_json_key *keys, void *base);

/* A zeroed array with an element of that size for each element of the list. */
void *pp_json_allocate(struct pp_reader *reader, const struct pp_node *list,
                       size_t size);

#endif
