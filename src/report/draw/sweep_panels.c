#include "report/draw/sweep_panels.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double pp_panel_value(const struct pp_sweep_point *point,
                      const struct pp_values *values)
{
    const int shape[PP_BY_COLUMN] = {point->microbatches, point->ranks, point->chunks};
    if (!values->column)
        return shape[values->dimension];
    int value = point->values[values->dimension - PP_BY_COLUMN];
    if (value < 0)
        return NAN;
    return values->column->numbers ? values->column->numbers[value] : value;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static bool same(double a, double b)
{
    return compare(&a, &b) == 0;
}

/* room has space for a value per point. */
static void find_values(struct pp_panels *panels, int dimension, double *room)
{
    const struct pp_sweep *sweep = panels->sweep;
    struct pp_values *values = &panels->all[dimension];
    int count = 0;
    *values = (struct pp_values){.dimension = dimension, .items = room};
    if (dimension >= PP_BY_COLUMN)
        values->column = &sweep->columns[dimension - PP_BY_COLUMN];
    for (int i = 0; i < sweep->count; i++) {
        double value = pp_panel_value(&sweep->points[i], values);
        if (sweep->points[i].done && !isnan(value))
            room[count++] = value;
    }
    qsort(room, (size_t)count, sizeof *room, compare);
    for (int i = 0; i < count; i++) {
        if (values->count == 0 || !same(room[values->count - 1], room[i]))
            room[values->count++] = room[i];
    }
}

/* Does the schedule decide the value? Then its lines need no other mark. */
static bool is_by_schedule(const struct pp_sweep *sweep, const struct pp_values *values)
{
    const struct pp_sweep_point *first = NULL; /* of the schedule; points follow it */
    for (int i = 0; i < sweep->count; i++) {
        const struct pp_sweep_point *point = &sweep->points[i];
        if (!point->done)
            continue;
        if (!first || strcmp(first->schedule, point->schedule) != 0)
            first = point;
        double a = pp_panel_value(first, values), b = pp_panel_value(point, values);
        if (isnan(a) != isnan(b) || a < b || a > b)
            return false;
    }
    return true;
}

static bool is_numeric(const struct pp_values *values)
{
    return !values->column || values->column->numbers;
}

/* Does a deserve an axis before b? Along x belong numbers, and what has most values. */
static bool goes_before(const struct pp_values *a, const struct pp_values *b)
{
    if (a->by_schedule != b->by_schedule)
        return b->by_schedule;
    if (a->by_schedule)
        return a->count < b->count; /* a panel for all schedules, if there can be one */
    if (a->count > 1 && b->count > 1 && is_numeric(a) != is_numeric(b))
        return is_numeric(a);
    return a->count > b->count;
}

static void choose_axes(struct pp_panels *panels)
{
    for (int d = 0; d < panels->dimensions; d++) {
        const struct pp_values *values = &panels->all[d];
        if (!panels->x || goes_before(values, panels->x)) {
            panels->column = panels->x;
            panels->x = values;
        } else if (!panels->column || goes_before(values, panels->column)) {
            panels->column = values;
        }
    }
    assert(panels->column); /* there are PP_BY_COLUMN dimensions, or more */
    panels->cut = panels->column->count > PP_MOST_PANELS;
    panels->columns = panels->cut ? PP_MOST_PANELS : panels->column->count;
}

bool pp_panel_dashed(const struct pp_panels *panels, const struct pp_values *values)
{
    return values != panels->x && values != panels->column && values->count > 1 &&
           !values->by_schedule;
}

static bool same_dash(const struct pp_panels *panels, const struct pp_sweep_point *a,
                      const struct pp_sweep_point *b)
{
    for (int d = 0; d < panels->dimensions; d++) {
        const struct pp_values *values = &panels->all[d];
        if (!pp_panel_dashed(panels, values))
            continue;
        double of_a = pp_panel_value(a, values), of_b = pp_panel_value(b, values);
        if (isnan(of_a) != isnan(of_b) || (!isnan(of_a) && !same(of_a, of_b)))
            return false;
    }
    return true;
}

int pp_panel_series(const struct pp_panels *panels, const struct pp_sweep_point *point)
{
    int s = 0;
    while (s < panels->series_count &&
           (strcmp(panels->series[s].first->schedule, point->schedule) != 0 ||
            !same_dash(panels, panels->series[s].first, point)))
        s++;
    return s;
}

/* The indices of a new series, of which this is a point. */
static struct pp_series new_series(struct pp_panels *panels,
                                   const struct pp_sweep_point *point)
{
    struct pp_series series = {.first = point, .dash = -1};
    int dashes = 0;
    while (series.schedule < panels->schedule_count &&
           strcmp(panels->schedules[series.schedule], point->schedule) != 0)
        series.schedule++;
    if (series.schedule == panels->schedule_count)
        panels->schedules[panels->schedule_count++] = point->schedule;
    for (int s = 0; s < panels->series_count && series.dash < 0; s++) {
        int dash = panels->series[s].dash;
        dashes = dash >= dashes ? dash + 1 : dashes;
        if (same_dash(panels, panels->series[s].first, point))
            series.dash = dash;
    }
    series.dash = series.dash < 0 ? dashes : series.dash;
    return series;
}

static void find_series(struct pp_panels *panels)
{
    const struct pp_sweep *sweep = panels->sweep;
    for (int i = 0; i < sweep->count; i++) {
        const struct pp_sweep_point *point = &sweep->points[i];
        if (!point->done || pp_panel_series(panels, point) < panels->series_count)
            continue;
        panels->cut |= panels->series_count == PP_MOST_SERIES;
        if (panels->series_count == PP_MOST_SERIES)
            continue;
        panels->series[panels->series_count] = new_series(panels, point);
        panels->series_count++;
    }
}

double pp_panel_memory(const struct pp_panels *panels,
                       const struct pp_sweep_point *point)
{
    return panels->in_bytes ? point->peak_activation_bytes / (1 << 20)
                            : point->peak_in_flight;
}

/* The ends of the axes, which all columns share. */
static void find_ranges(struct pp_panels *panels)
{
    panels->least_time = INFINITY;
    const struct pp_sweep *sweep = panels->sweep;
    for (int i = 0; i < sweep->count; i++) {
        const struct pp_sweep_point *point = &sweep->points[i];
        if (!point->done)
            continue;
        panels->in_bytes |= point->peak_activation_bytes > 0;
        panels->measured |= !isnan(point->measured);
        panels->least_time = fmin(panels->least_time, point->makespan_s);
        panels->most_time = fmax(panels->most_time, point->makespan_s);
        panels->most_bubble =
            fmax(panels->most_bubble, fmax(point->theory, point->simulated));
        panels->most_bubble = fmax(panels->most_bubble, point->measured_max);
    }
    for (int i = 0; i < sweep->count; i++) {
        if (sweep->points[i].done)
            panels->most_memory =
                fmax(panels->most_memory, pp_panel_memory(panels, &sweep->points[i]));
    }
    panels->unit = pp_time_unit(panels->least_time * 1e9);
}

int pp_panels_init(struct pp_panels *panels, const struct pp_sweep *sweep,
                   struct pp_error *error)
{
    size_t count = (size_t)sweep->count;
    int done = 0;
    *panels = (struct pp_panels){
        .sweep = sweep,
        .dimensions = PP_BY_COLUMN + sweep->column_count,
    };
    for (int i = 0; i < sweep->count; i++)
        done += sweep->points[i].done;
    if (done == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "no point of the sweep succeeded: there is nothing to plot");
    panels->room = malloc((size_t)panels->dimensions * count * sizeof *panels->room);
    if (!panels->room)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a picture");
    for (int d = 0; d < panels->dimensions; d++) {
        find_values(panels, d, panels->room + (size_t)d * count);
        panels->all[d].by_schedule = is_by_schedule(sweep, &panels->all[d]);
    }
    choose_axes(panels);
    find_series(panels);
    find_ranges(panels);
    return 0;
}

void pp_panels_release(struct pp_panels *panels)
{
    free(panels->room);
    *panels = (struct pp_panels){0};
}
