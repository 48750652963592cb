/* What the picture of a sweep shows: a column of panels per value of one dimension of
 * the shapes, another dimension along x, the third by dashes; a line per schedule and
 * dash; and the ends of the axes. */
#ifndef PP_REPORT_DRAW_SWEEP_PANELS_H
#define PP_REPORT_DRAW_SWEEP_PANELS_H

#include "report/numbers.h"
#include "report/sweep.h"

/* More columns or series than this would not be legible: the rest is left out, and the
 * title says so. */
enum { PP_MOST_PANELS = 8, PP_MOST_SERIES = 32 };

enum pp_dimension { PP_BY_MICROBATCHES, PP_BY_RANKS, PP_BY_CHUNKS, PP_DIMENSIONS };

/* The values that a dimension takes, ascending. */
struct pp_values {
    enum pp_dimension dimension;
    int *items; /* [count] */
    int count;
};

/* A line of the picture. */
struct pp_series {
    int schedule; /* index into schedules */
    int dash;     /* index into the values of dash */
};

struct pp_panels {
    const struct pp_sweep_point *points; /* [count] borrowed */
    int count;
    struct pp_values all[PP_DIMENSIONS];
    int *room; /* the values' memory, owned */
    const struct pp_values *x, *column, *dash;
    const char *schedules[PP_MOST_SERIES];
    int schedule_count;
    struct pp_series series[PP_MOST_SERIES];
    int series_count;
    int columns; /* panels side by side */
    bool cut;    /* there is more than is drawn */
    struct pp_time_unit unit;
    bool in_bytes, measured;
    double most_bubble, least_time, most_time, most_memory;
};

/* Only points that are done are shown: PP_BAD_INPUT if there are none. PP_ENVIRONMENT
 * when out of memory. */
int pp_panels_init(struct pp_panels *panels, const struct pp_sweep_point *points,
                   int count, struct pp_error *error);
void pp_panels_release(struct pp_panels *panels);

/* Of a point: its value in a dimension, its series, its memory as the picture shows it
 * (MiB, or microbatches in flight). */
int pp_panel_value(const struct pp_sweep_point *point, enum pp_dimension dimension);
struct pp_series pp_panel_series(struct pp_panels *panels,
                                 const struct pp_sweep_point *point);
double pp_panel_memory(const struct pp_panels *panels,
                       const struct pp_sweep_point *point);

#endif
