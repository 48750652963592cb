/* The file of a sweep: each point that is done adds a row, so that an interrupted sweep
 * resumes where it stopped. */
#ifndef PP_CLI_SWEEP_FILE_H
#define PP_CLI_SWEEP_FILE_H

#include <jansson.h>

#include "report/sweep.h"

/* Opens path for adding rows. A new file gets its first two lines; the rows of an older
 * one are kept, and their points marked done. config is what the points share.
 * PP_BAD_INPUT if the file is from a sweep of another config, naming
 * the differences, or is not a sweep's file; it is then left alone. */
int pp_sweep_file_open(FILE **file, const char *path, const json_t *config,
                       struct pp_sweep *sweep, struct pp_error *error);

/* Adds a row, at once. */
int pp_sweep_file_add(FILE *file, const char *path, const struct pp_sweep *sweep,
                      const struct pp_sweep_point *point, struct pp_error *error);

/* Prints the rows of all points that are done to stdout, below the names of the
 * columns. */
int pp_sweep_write_csv(const struct pp_sweep *sweep, struct pp_error *error);

/* Schema ppsim.sweep/1: {"schema", "config", "points": [...], "invalid": [...],
 * "best", "crossovers"}, the last of which are taken over; points with the report's
 * keys: "predicted" is simulated, and "fraction" is measured if the point was run.
 * Invalid points have a "reason", and the exit "status" that a command for that point
 * alone would have (above 2: the run failed). "-" is stdout. */
int pp_sweep_write_json(const struct pp_sweep *sweep, const json_t *config,
                        json_t *crossovers, const char *path, struct pp_error *error);

#endif
