#include "cli/sweep_points.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/plan.h"

enum { MOST_POINTS = 10000 };

/* Is it one of the numbers that every row of the table has? */
static bool is_shape(const struct pp_option *option)
{
    return option->offset == offsetof(struct pp_options, ranks) ||
           option->offset == offsetof(struct pp_options, chunks) ||
           option->offset == offsetof(struct pp_options, microbatches);
}

static bool is_group_size(const struct pp_option *option)
{
    return option->offset == offsetof(struct pp_options, group_size);
}

/* One of those of schedules that decode? */
static bool is_decoding(const struct pp_option *option)
{
    return option->offset == offsetof(struct pp_options, groups) ||
           option->offset == offsetof(struct pp_options, prompt_chunks);
}

/* Where two schedules are compared, one that takes a single v is, whatever the other's.
 */
static bool keeps_chunks(const struct pp_options *options,
                         const struct pp_scheduler *row)
{
    return options->crossover && row && !row->takes_chunks;
}

/* A schedule from a file (row NULL) has its shape already; only some have groups. */
static bool applies(const struct pp_option *option, const struct pp_options *options,
                    const struct pp_scheduler *row)
{
    if (option->offset == offsetof(struct pp_options, chunks) &&
        keeps_chunks(options, row))
        return false;
    if (is_group_size(option))
        return row && row->best_group_size;
    if (is_decoding(option))
        return row && pp_row_decodes(row);
    return row || !is_shape(option);
}

static int find_dimensions(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                           struct pp_error *error)
{
    const struct pp_options *options = dimensions->options;
    /* The first that is found varies slowest: ranks, chunks, microbatches, the rest. */
    static const size_t order[] = {offsetof(struct pp_options, ranks),
                                   offsetof(struct pp_options, chunks),
                                   offsetof(struct pp_options, microbatches)};
    enum { SHAPES = sizeof order / sizeof *order };
    for (int turn = 0; turn <= SHAPES; turn++) {
        for (int i = 0; i < pp_option_count; i++) {
            const struct pp_option *option = &pp_option_table[i];
            bool own =
                turn < SHAPES ? option->offset == order[turn] : !is_shape(option);
            if (!pp_option_varies(options, option) || !own ||
                option->file == PP_FILES_OR_SCHEDULES)
                continue;
            struct pp_dimension *dimension = &dimensions->items[dimensions->count++];
            *dimension =
                (struct pp_dimension){.option = option, .list = &options->lists[i]};
            if (!is_shape(option) && pp_columns_add(sweep, dimension, error) != 0)
                return -1;
        }
    }
    return 0;
}

static int add_point(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                     const struct pp_sweep_point *point, const int *chosen,
                     struct pp_error *error)
{
    if (sweep->count == MOST_POINTS)
        return pp_fail(error, PP_BAD_INPUT, "the sweep has more than %d points",
                       MOST_POINTS);
    if (sweep->count % 64 == 0) {
        size_t room = (size_t)sweep->count + 64;
        void *points = realloc(sweep->points, room * sizeof *sweep->points);
        sweep->points = points ? points : sweep->points;
        void *all = realloc(dimensions->chosen, room * sizeof *dimensions->chosen);
        dimensions->chosen = all ? all : dimensions->chosen;
        if (!points || !all)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu points", room);
    }
    memcpy(dimensions->chosen[sweep->count], chosen, sizeof *dimensions->chosen);
    sweep->points[sweep->count] = *point;
    sweep->points[sweep->count].serial = sweep->count;
    sweep->count++;
    return 0;
}

static void set_cells(struct pp_sweep_point *point,
                      const struct pp_dimensions *dimensions, const int *chosen)
{
    for (int d = 0; d < dimensions->count; d++) {
        const struct pp_dimension *dimension = &dimensions->items[d];
        for (int c = 0; c < dimension->column_count; c++)
            point->values[dimension->first_column + c] =
                chosen[d] < 0 ? -1 : dimension->cells[chosen[d] * PP_MOST_COLUMNS + c];
    }
}

/* The number that the point has in one of the dimensions of its shape; else as the
 * options say for all points, or the default. */
static int shape_of(const struct pp_dimensions *dimensions, const int *chosen,
                    size_t offset, int shared, int start)
{
    for (int d = 0; d < dimensions->count; d++) {
        const struct pp_dimension *dimension = &dimensions->items[d];
        if (dimension->option->offset == offset && chosen[d] >= 0)
            return (int)strtol(dimension->list->values[chosen[d]], NULL, 10);
    }
    return shared ? shared : start;
}

/* The next combination; false behind the last one. */
static bool next(const struct pp_dimensions *dimensions, int *chosen)
{
    for (int d = dimensions->count - 1; d >= 0; d--) {
        if (chosen[d] < 0)
            continue;
        if (++chosen[d] < dimensions->items[d].list->count)
            return true;
        chosen[d] = 0;
    }
    return false;
}

/* Every combination for one schedule; row is NULL where a file gives the shape. */
static int add_combinations(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                            const struct pp_scheduler *row,
                            struct pp_sweep_point *point, struct pp_error *error)
{
    const struct pp_options *options = dimensions->options;
    int chosen[PP_MOST_DIMENSIONS] = {0};
    for (int d = 0; d < dimensions->count; d++)
        chosen[d] = applies(dimensions->items[d].option, options, row) ? 0 : -1;
    do {
        if (row) {
            point->ranks =
                shape_of(dimensions, chosen, offsetof(struct pp_options, ranks),
                         options->ranks, PP_DEFAULT_RANKS);
            point->chunks = shape_of(
                dimensions, chosen, offsetof(struct pp_options, chunks),
                keeps_chunks(options, row) ? 0 : options->chunks, row->default_chunks);
            point->microbatches =
                shape_of(dimensions, chosen, offsetof(struct pp_options, microbatches),
                         options->microbatches, PP_DEFAULT_MICROBATCHES);
        }
        set_cells(point, dimensions, chosen);
        if (add_point(sweep, dimensions, point, chosen, error) != 0)
            return -1;
    } while (next(dimensions, chosen));
    return 0;
}

/* What the options say of a shape is not for a schedule from a file. */
static void forget_shape(struct pp_options *options)
{
    options->ranks = options->chunks = options->microbatches = options->group_size = 0;
    options->groups = options->prompt_chunks = 0;
}

/* A schedule from a file has one shape: its own. */
static int read_shape(const struct pp_dimensions *dimensions,
                      struct pp_sweep_point *point, struct pp_error *error)
{
    struct pp_options options = *dimensions->options;
    struct pp_plan plan = {0};
    options.schedule = point->schedule;
    forget_shape(&options);
    int status = pp_plan_schedule(&plan, &options, error);
    point->ranks = plan.schedule.ranks;
    point->chunks = plan.schedule.chunks;
    point->microbatches = plan.schedule.microbatches;
    pp_plan_release(&plan);
    return status;
}

/* The points of one schedule, unless it is there under another name. */
static int add_schedule(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                        const char *name, struct pp_error *error)
{
    const struct pp_scheduler *row = NULL;
    struct pp_sweep_point point = {0};
    /* The sweep's file has a point per line. */
    if (strpbrk(name, "\"\n\r") || strlen(name) >= sizeof point.schedule)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--schedule' '%.80s': want a schedule's name or a .csv file",
                       name);
    if (!pp_plan_is_file(name) && !(row = pp_catalogue_get(name, error)))
        return -1;
    pp_assign(point.schedule, sizeof point.schedule, "%s", row ? row->name : name);
    for (int i = 0; i < sweep->count; i++) {
        if (strcmp(sweep->points[i].schedule, point.schedule) == 0)
            return 0;
    }
    if (!row && read_shape(dimensions, &point, error) != 0)
        return -1;
    return add_combinations(sweep, dimensions, row, &point, error);
}

/* "all": every schedule of the catalogue that trains. */
static int add_schedules(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                         const char *name, struct pp_error *error)
{
    if (strcmp(name, "all") != 0)
        return add_schedule(sweep, dimensions, name, error);
    for (int r = 0; r < pp_catalogue_count(); r++) {
        const struct pp_scheduler *row = pp_catalogue_row(r);
        if (!pp_row_decodes(row) &&
            add_schedule(sweep, dimensions, row->name, error) != 0)
            return -1;
    }
    return 0;
}

int pp_sweep_list(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                  const struct pp_options *options, struct pp_error *error)
{
    *sweep = (struct pp_sweep){.best = -1};
    *dimensions = (struct pp_dimensions){.options = options};
    if (find_dimensions(sweep, dimensions, error) != 0)
        return -1;
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        if (option->file != PP_FILES_OR_SCHEDULES || !pp_option_varies(options, option))
            continue;
        for (int s = 0; s < options->lists[i].count; s++) {
            if (add_schedules(sweep, dimensions, options->lists[i].values[s], error) !=
                0)
                return -1;
        }
    }
    return sweep->count > 0
               ? 0
               : add_schedules(sweep, dimensions, options->schedule, error);
}

void pp_dimensions_release(struct pp_dimensions *dimensions)
{
    for (int d = 0; d < dimensions->count; d++) {
        free(dimensions->items[d].cells);
        free(dimensions->items[d].pattern);
    }
    free(dimensions->chosen);
    *dimensions = (struct pp_dimensions){0};
}

int pp_point_options(struct pp_options *own, const struct pp_dimensions *dimensions,
                     const struct pp_sweep_point *point, struct pp_error *error)
{
    const struct pp_scheduler *row = pp_catalogue_find(point->schedule);
    *own = *dimensions->options;
    own->lists = NULL;
    own->schedule = point->schedule;
    for (int d = 0; d < dimensions->count; d++) {
        const struct pp_dimension *dimension = &dimensions->items[d];
        int value = dimensions->chosen[point->serial][d];
        if (value >= 0 && pp_option_set(own, dimension->option,
                                        dimension->list->values[value], error) != 0)
            return -1;
    }
    if (pp_plan_is_file(point->schedule))
        forget_shape(own);
    if (row && !row->best_group_size)
        own->group_size = 0;
    if (row && !pp_row_decodes(row))
        own->groups = own->prompt_chunks = 0;
    if (keeps_chunks(dimensions->options, row))
        own->chunks = 0;
    return 0;
}
