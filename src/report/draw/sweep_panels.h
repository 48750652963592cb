/* What the picture of a sweep shows: one dimension along x, a column of panels per
 * value of another, the others by dashes; a line per schedule and dash; and the ends of
 * the axes. The dimensions are those of the shapes, and the sweep's columns. */
#ifndef PP_REPORT_DRAW_SWEEP_PANELS_H
#define PP_REPORT_DRAW_SWEEP_PANELS_H

#include "report/numbers.h"
#include "report/sweep.h"

/* More columns or series than this would not be legible: the rest is left out, and the
 * title says so. */
enum { PP_MOST_PANELS = 8, PP_MOST_SERIES = 32 };

enum {
    PP_BY_MICROBATCHES,
    PP_BY_RANKS,
    PP_BY_CHUNKS,
    PP_BY_COLUMN, /* the first of the sweep's columns */
    PP_MOST_PICTURED = PP_BY_COLUMN + PP_MOST_COLUMNS
};

/* The values that a dimension takes, ascending; of texts that are no numbers, their
 * places in the order given. */
struct pp_values {
    int dimension;
    const struct pp_sweep_column *column; /* NULL: of the shapes */
    double *items;                        /* [count] */
    int count;
    bool by_schedule; /* the same for all points of one schedule, as v often is */
};

/* A line of the picture. */
struct pp_series {
    int schedule; /* index into schedules */
    int dash;     /* from 0: another combination of what has no axis */
    const struct pp_sweep_point *first; /* one of its points */
};

struct pp_panels {
    const struct pp_sweep *sweep; /* borrowed */
    struct pp_values all[PP_MOST_PICTURED];
    int dimensions;
    double *room; /* the values' memory, owned */
    const struct pp_values *x, *column;
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
int pp_panels_init(struct pp_panels *panels, const struct pp_sweep *sweep,
                   struct pp_error *error);
void pp_panels_release(struct pp_panels *panels);

/* Of a point: its value in a dimension, NaN where it has none; the index of its series;
 * its memory as the picture shows it (MiB, or microbatches in flight). */
double pp_panel_value(const struct pp_sweep_point *point,
                      const struct pp_values *values);
int pp_panel_series(const struct pp_panels *panels, const struct pp_sweep_point *point);
double pp_panel_memory(const struct pp_panels *panels,
                       const struct pp_sweep_point *point);

/* Is the dimension without an axis? The series' dashes tell its values apart. */
bool pp_panel_dashed(const struct pp_panels *panels, const struct pp_values *values);

#endif
