/* The report as JSON. */
#ifndef PP_REPORT_EXPORT_JSON_H
#define PP_REPORT_EXPORT_JSON_H

#include "report/report.h"

/* Schema ppsim.report/1 (docs/files.md). The timeline of the representative step is
 * written too ("timeline": {"step", "columns", "ops"}), unless it has more than
 * PP_JSON_MOST_OPS ops: then it is null, and "timeline_dropped" says so. Written whole
 * or not at all; "-" is stdout. */
int pp_report_write_json(const struct pp_report *report, const char *path,
                         struct pp_error *error);

/* Reads a report back. PP_BAD_INPUT names the file, the key and what is wrong. */
int pp_report_read_json(struct pp_report *report, const char *path,
                        struct pp_error *error);

/* A string, with '?' for each byte that is not UTF-8, which JSON cannot hold; null for
 * NULL. Returns NULL when out of memory. */
json_t *pp_json_text(const char *text);

#endif
