/* What a report's JSON looks like, as a JSON Schema (draft 2020-12). */
#ifndef PP_REPORT_EXPORT_JSON_SCHEMA_H
#define PP_REPORT_EXPORT_JSON_SCHEMA_H

#include <jansson.h>

/* Made from json_keys.c. The caller releases it; NULL when out of memory. */
json_t *pp_report_json_schema(void);

#endif
