#include "report/draw/sweep_panels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int pp_panel_value(const struct pp_sweep_point *point, enum pp_dimension dimension)
{
    const int values[PP_DIMENSIONS] = {point->microbatches, point->ranks,
                                       point->chunks};
    return values[dimension];
}

static int compare(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

/* room has space for a value per point. */
static void find_values(struct pp_panels *panels, enum pp_dimension dimension,
                        int *room)
{
    int count = 0, kept = 0;
    for (int i = 0; i < panels->count; i++) {
        if (panels->points[i].done)
            room[count++] = pp_panel_value(&panels->points[i], dimension);
    }
    qsort(room, (size_t)count, sizeof *room, compare);
    for (int i = 0; i < count; i++) {
        if (kept == 0 || room[kept - 1] != room[i])
            room[kept++] = room[i];
    }
    panels->all[dimension] = (struct pp_values){dimension, room, kept};
}

static int index_of(const struct pp_values *values, int value)
{
    const int *found =
        bsearch(&value, values->items, (size_t)values->count, sizeof value, compare);
    return (int)(found - values->items);
}

/* The dimension of most values goes along x, the next one over the columns. */
static void choose_axes(struct pp_panels *panels)
{
    const struct pp_values *order[PP_DIMENSIONS];
    for (int d = 0; d < PP_DIMENSIONS; d++) {
        int at = d;
        while (at > 0 && order[at - 1]->count < panels->all[d].count) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = &panels->all[d];
    }
    panels->x = order[0];
    panels->column = order[1];
    panels->dash = order[2];
    panels->cut = panels->column->count > PP_MOST_PANELS;
    panels->columns = panels->cut ? PP_MOST_PANELS : panels->column->count;
}

static int schedule_of(struct pp_panels *panels, const char *name)
{
    int s = 0;
    while (s < panels->schedule_count && strcmp(panels->schedules[s], name) != 0)
        s++;
    if (s < PP_MOST_SERIES && s == panels->schedule_count)
        panels->schedules[panels->schedule_count++] = name;
    return s;
}

struct pp_series pp_panel_series(struct pp_panels *panels,
                                 const struct pp_sweep_point *point)
{
    return (struct pp_series){
        .schedule = schedule_of(panels, point->schedule),
        .dash = index_of(panels->dash, pp_panel_value(point, panels->dash->dimension)),
    };
}

static void find_series(struct pp_panels *panels)
{
    for (int i = 0; i < panels->count; i++) {
        const struct pp_sweep_point *point = &panels->points[i];
        if (!point->done)
            continue;
        struct pp_series series = pp_panel_series(panels, point);
        int s = 0;
        while (s < panels->series_count &&
               (panels->series[s].schedule != series.schedule ||
                panels->series[s].dash != series.dash))
            s++;
        if (s == PP_MOST_SERIES)
            panels->cut = true;
        else if (s == panels->series_count)
            panels->series[panels->series_count++] = series;
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
    for (int i = 0; i < panels->count; i++) {
        const struct pp_sweep_point *point = &panels->points[i];
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
    for (int i = 0; i < panels->count; i++) {
        if (panels->points[i].done)
            panels->most_memory =
                fmax(panels->most_memory, pp_panel_memory(panels, &panels->points[i]));
    }
    panels->unit = pp_time_unit(panels->least_time * 1e9);
}

int pp_panels_init(struct pp_panels *panels, const struct pp_sweep_point *points,
                   int count, struct pp_error *error)
{
    int done = 0;
    *panels = (struct pp_panels){.points = points, .count = count};
    for (int i = 0; i < count; i++)
        done += points[i].done;
    if (done == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "no point of the sweep succeeded: there is nothing to plot");
    panels->room = malloc(PP_DIMENSIONS * (size_t)count * sizeof *panels->room);
    if (!panels->room)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a picture");
    for (enum pp_dimension d = PP_BY_MICROBATCHES; d < PP_DIMENSIONS; d++)
        find_values(panels, d, panels->room + d * (size_t)count);
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
