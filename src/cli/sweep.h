/* The file of a sweep: rows are added as points are done, so that a sweep which was cut
 * off goes on where it stopped. */
#ifndef PP_CLI_SWEEP_H
#define PP_CLI_SWEEP_H

#include <jansson.h>

#include "report/sweep.h"

/* Opens path for adding rows: a new file gets its heads; of an older one the whole rows
 * are kept, and their points are marked done. config is what the points share, other
 * than their shape: PP_BAD_INPUT names the differences if the file is of another one,
 * and leaves a file alone that is no sweep's. */
int pp_sweep_file_open(FILE **file, const char *path, const json_t *config,
                       struct pp_sweep_point *points, int count,
                       struct pp_error *error);

/* Adds a row, at once. */
int pp_sweep_file_add(FILE *file, const char *path, const struct pp_sweep_point *point,
                      struct pp_error *error);

/* Schema ppsim.sweep/1: {"schema", "config", "points": [...], "invalid": [...]}; points
 * under the report's names, "predicted" being simulated and "fraction" measured where
 * it was run; invalid ones with the "status" that a command of their own would end with
 * (above 2: the run failed) and the "reason". "-" is stdout. */
int pp_sweep_write_json(const struct pp_sweep_point *points, int count,
                        const json_t *config, const char *path, struct pp_error *error);

#endif
