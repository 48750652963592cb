/* A schedule as JSON, schema ppsim.schedule/1:
 *
 *     {"schema": "ppsim.schedule/1", "name": "1f1b", "ranks": 4, "stages": 4,
 *      "chunks": 1, "microbatches": 8, "rank_of": [0, 1, 2, 3],
 *      "ops": [[{"stage": 0, "kind": "F", "microbatch": 0}, ...], ...]}
 *
 * rank_of has the rank of each stage, ops each rank's ops in order. An op that overlaps
 * with the next one has "joined": true. */
#ifndef PP_REPORT_EXPORT_SCHEDULE_JSON_H
#define PP_REPORT_EXPORT_SCHEDULE_JSON_H

#include <stdio.h>

#include "schedule/schedule.h"

/* The caller checks the stream for errors. PP_ENVIRONMENT when out of
 * memory. */
int pp_schedule_write_json(const struct pp_schedule *schedule, FILE *stream,
                           struct pp_error *error);

#endif
