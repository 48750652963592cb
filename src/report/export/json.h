/* The report as JSON. */
#ifndef PP_REPORT_EXPORT_JSON_H
#define PP_REPORT_EXPORT_JSON_H

#include "report/report.h"

/* Schema ppsim.report/1 (docs/files.md). The timeline of the representative step is
 * written too ("timeline": {"step", "columns", "ops"}), unless it has more than
 * PP_JSON_MOST_OPS ops. Written whole or not at all; "-" is stdout. */
int pp_report_write_json(const struct pp_report *report, const char *path,
                         struct pp_error *error);

/* Reads a report back. PP_BAD_INPUT names the file, the key and what is wrong. */
int pp_report_read_json(struct pp_report *report, const char *path,
                        struct pp_error *error);

#endif
