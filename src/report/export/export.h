/* The timeline for other tools. Each writes a file whole or not at all ("-": stdout);
 * PP_BAD_INPUT where the report holds no timeline or the path cannot be written,
 * PP_ENVIRONMENT when disk or memory are out. An option's row in cli/option_table.c
 * names the function that writes what it asks for. */
#ifndef PP_REPORT_EXPORT_EXPORT_H
#define PP_REPORT_EXPORT_EXPORT_H

#include "report/report.h"

/* trace.c: Chrome trace events, as Perfetto and chrome://tracing load them. One
 * process per rank, ids from 1 (viewers take 0 for idle): thread 1 its ops, threads
 * from 2 on the messages in transit to it; an arrow from each send to its receive; a
 * counter of microbatches in flight.
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU */
int pp_report_write_trace(const struct pp_report *report, const char *path,
                          struct pp_error *error);

/* paje.c: Pajé, as pj_dump, ViTE and pajeng read it. A container per rank under one for
 * the program, a state per op, a link per message, a variable of microbatches in
 * flight. https://paje.sourceforge.net/download/publication/lang-paje.pdf */
int pp_report_write_paje(const struct pp_report *report, const char *path,
                         struct pp_error *error);

/* timeline_csv.c: one row per op under the header
 * step,rank,stage,chunk,kind,microbatch,start_s,end_s */
int pp_report_write_csv(const struct pp_report *report, const char *path,
                        struct pp_error *error);

#endif
