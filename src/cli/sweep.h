/* The file of a sweep: rows are added as points are done, so that a sweep which was cut
 * off goes on where it stopped. */
#ifndef PP_CLI_SWEEP_H
#define PP_CLI_SWEEP_H

#include <jansson.h>

#include "report/sweep.h"

/* Opens path for adding rows: a new file gets its head; of an older one the whole rows
 * are kept, and their points are marked done. config is what the points share, other
 * than their shape: PP_BAD_INPUT if the file is of another one, or no sweep's. */
int pp_sweep_file_open(FILE **file, const char *path, const json_t *config,
                       struct pp_sweep_point *points, int count,
                       struct pp_error *error);

/* Adds a row, at once. */
int pp_sweep_file_add(FILE *file, const char *path, const struct pp_sweep_point *point,
                      struct pp_error *error);

/* Schema ppsim.sweep/1: {"schema", "config", "points": [...], "invalid": [...]}; "-" is
 * stdout. */
int pp_sweep_write_json(const struct pp_sweep_point *points, int count,
                        const json_t *config, const char *path, struct pp_error *error);

#endif
