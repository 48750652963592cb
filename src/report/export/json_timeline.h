/* The timeline within a report's JSON: millions of rows, each an op and its times, so
 * that they are written without a tree. */
#ifndef PP_REPORT_EXPORT_JSON_TIMELINE_H
#define PP_REPORT_EXPORT_JSON_TIMELINE_H

#include <stdio.h>

#include "report/export/json_reader.h"
#include "report/report.h"

/* ["op", "start_s", …]: what a row holds. */
void pp_json_put_columns(FILE *stream);

/* A list per rank, of a row per op, times counted from the step's start:
 * [["0F0",0,0.001,0,0], …]. The report must hold a timeline. */
void pp_json_put_ops(FILE *stream, const struct pp_report *report);

/* Reads that back from the object of the key "timeline" into a report whose schedule
 * has no ops yet, and whose metrics are known. The schedule is verified, and times must
 * be in order and within the makespan. */
void pp_json_read_timeline(struct pp_reader *reader, const struct pp_node *timeline,
                           struct pp_report *report);

#endif
