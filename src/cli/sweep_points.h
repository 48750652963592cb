/* What a sweep's options list: dimensions, and their combinations, the points. */
#ifndef PP_CLI_SWEEP_POINTS_H
#define PP_CLI_SWEEP_POINTS_H

#include "cli/option_table.h"
#include "report/sweep.h"

enum { PP_MOST_DIMENSIONS = 24 };

/* An option of several values. */
struct pp_dimension {
    const struct pp_option *option;
    const struct pp_list *list;     /* borrowed from the options */
    int first_column, column_count; /* of the sweep's, made of it */
    char *pattern; /* what the values have in common: "latency=*"; owned */
    int *
        cells; /* [list->count][column_count] each value's text in each column; owned */
};

struct pp_dimensions {
    const struct pp_options *options; /* borrowed */
    struct pp_dimension items[PP_MOST_DIMENSIONS];
    int count;
    int (*chosen)[PP_MOST_DIMENSIONS]; /* [points] by serial: each dimension's value, -1
                                        * where it does not apply; owned */
};

/* Finds the dimensions, adds their columns to the sweep and lists its points, schedule
 * by schedule. PP_BAD_INPUT for a schedule that does not exist, or too many points. */
int pp_sweep_list(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                  const struct pp_options *options, struct pp_error *error);
void pp_dimensions_release(struct pp_dimensions *dimensions);

/* The options of one point, as if they were given for it alone. They borrow from the
 * sweep's and are not released. */
int pp_point_options(struct pp_options *own, const struct pp_dimensions *dimensions,
                     const struct pp_sweep_point *point, struct pp_error *error);

/* Adds the columns of a dimension: one for an option that is a number, one for each
 * number behind a "key=" in which its texts differ, or one for the texts as they are.
 */
int pp_columns_add(struct pp_sweep *sweep, struct pp_dimension *dimension,
                   struct pp_error *error);

#endif
