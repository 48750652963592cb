/* --crossover: where one of two schedules overtakes the other. */
#ifndef PP_CLI_SWEEP_CROSS_H
#define PP_CLI_SWEEP_CROSS_H

#include <stdio.h>

#include "cli/interval.h"
#include "cli/sweep_points.h"

/* What is found at one number of the interval. */
struct pp_cross {
    double at;
    double makespan_s[2], bubble[2]; /* of the schedules, there */
    int better;                      /* 0, 1; -1: they take equally long */
};

/* From segments[i].at on, up to the next one, one schedule is the better. */
enum { PP_MOST_SEGMENTS = 64 };
struct pp_crossover {
    const struct pp_sweep_point *points[2]; /* at the interval's beginning */
    struct pp_cross segments[PP_MOST_SEGMENTS];
    int count;
    const char *reason; /* why they cannot be compared; or NULL */
};

struct pp_crossovers {
    struct pp_interval interval;
    double *grid; /* where the order is looked at first; owned */
    int grid_count;
    char *text;                 /* that the interval stands in; owned */
    struct pp_crossover *items; /* [count] one for each combination of what else varies;
                                 * owned */
    int count;
};

/* Finds the interval and puts a grid of numbers in its place, so that the sweep has a
 * point for each. Without --crossover: refuses intervals. */
int pp_crossovers_init(struct pp_crossovers *crossovers, struct pp_options *options,
                       struct pp_error *error);
void pp_crossovers_release(struct pp_crossovers *crossovers);

/* Looks along the grid, whose points are made, for changes of the order, and bisects
 * each: times to the ns, other quantities to 9 digits. */
int pp_crossovers_find(struct pp_crossovers *crossovers, const struct pp_sweep *sweep,
                       const struct pp_dimensions *dimensions, struct pp_error *error);

int pp_crossovers_print(const struct pp_crossovers *crossovers,
                        const struct pp_sweep *sweep, FILE *stream,
                        struct pp_error *error);
json_t *pp_crossovers_json(const struct pp_crossovers *crossovers,
                           const struct pp_sweep *sweep);

#endif
