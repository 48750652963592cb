/* ppsim sweep: many shapes at once, as one table. */
#include "cli/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "base/scan.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/simulation.h"
#include "cli/sweep_run.h"
#include "cli/terminal.h"
#include "report/draw/gnuplot.h"
#include "report/draw/sweep_plot.h"
#include "report/print/sweep.h"
#include "run/launch.h"
#include "version.h"

enum { MOST_POINTS = 10000 };

struct sweep {
    const struct pp_options *options;
    struct pp_sweep_point *points; /* [capacity] */
    int count, capacity;
};

static int add_point(struct sweep *sweep, const struct pp_sweep_point *point,
                     struct pp_error *error)
{
    if (sweep->count == MOST_POINTS)
        return pp_fail(error, PP_BAD_INPUT, "the sweep has more than %d points",
                       MOST_POINTS);
    if (sweep->count == sweep->capacity) {
        int capacity = 2 * sweep->capacity + 64;
        struct pp_sweep_point *points =
            realloc(sweep->points, (size_t)capacity * sizeof *points);
        if (!points)
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d points",
                           capacity);
        sweep->points = points;
        sweep->capacity = capacity;
    }
    sweep->points[sweep->count++] = *point;
    return 0;
}

/* Every shape of one of the catalogue's schedules. */
static int add_shapes(struct sweep *sweep, const struct pp_scheduler *row,
                      struct pp_error *error)
{
    const struct pp_options *options = sweep->options;
    const struct pp_list own = {.items = {row->default_chunks}, .count = 1};
    const struct pp_list *chunks =
        options->chunks_list.text ? &options->chunks_list : &own;
    struct pp_sweep_point point = {0};
    pp_assign(point.schedule, sizeof point.schedule, "%s", row->name);
    for (int p = 0; p < options->ranks_list.count; p++) {
        point.ranks = options->ranks_list.items[p];
        for (int v = 0; v < chunks->count; v++) {
            point.chunks = chunks->items[v];
            for (int m = 0; m < options->microbatches_list.count; m++) {
                point.microbatches = options->microbatches_list.items[m];
                if (add_point(sweep, &point, error) != 0)
                    return -1;
            }
        }
    }
    return 0;
}

/* A schedule from a file has one shape: its own. */
static int add_file(struct sweep *sweep, const char *path, struct pp_error *error)
{
    struct pp_options options = *sweep->options;
    struct pp_sweep_point point = {0};
    struct pp_plan plan = {0};
    options.schedule = path;
    int status = pp_plan_schedule(&plan, &options, error);
    if (status == 0) {
        point.ranks = plan.schedule.ranks;
        point.chunks = plan.schedule.chunks;
        point.microbatches = plan.schedule.microbatches;
        pp_assign(point.schedule, sizeof point.schedule, "%s", path);
        status = add_point(sweep, &point, error);
    }
    pp_plan_release(&plan);
    return status;
}

/* The points of one name of the list, unless the list has named it before. */
static int add_schedule(struct sweep *sweep, const char *name, struct pp_error *error)
{
    const struct pp_scheduler *row = NULL;
    bool is_file = pp_plan_is_file(name);
    if (!is_file && !(row = pp_catalogue_get(name, error)))
        return -1;
    for (int i = 0; i < sweep->count; i++) {
        if (strcmp(sweep->points[i].schedule, is_file ? name : row->name) == 0)
            return 0;
    }
    return is_file ? add_file(sweep, name, error) : add_shapes(sweep, row, error);
}

/* The points, schedule by schedule; ranks, chunks and microbatches as listed. */
static int add_schedules(struct sweep *sweep, const char *list, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("schedule", list, error);
    struct pp_sweep_point point;
    do {
        const char *at = scanner.at;
        size_t length = pp_scan_until(&scanner, ",");
        /* The sweep's file has cells between commas, and no quoting. */
        size_t plain = strcspn(at, ",\"\n\r");
        if (length == 0 || plain < length || length >= sizeof point.schedule)
            return pp_scan_fail(&scanner, at, "want a schedule's name or a .csv file");
        pp_assign(point.schedule, sizeof point.schedule, "%.*s", (int)length, at);
        if (add_schedule(sweep, point.schedule, error) != 0)
            return -1;
    } while (pp_scan_sign(&scanner, ","));
    return 0;
}

static void fill_point(struct pp_sweep_point *point, const struct pp_report *report,
                       bool measured)
{
    double fraction = report->metrics.bubble.fraction;
    point->theory = report->theory;
    point->simulated = measured ? report->predicted : fraction;
    point->measured = measured ? fraction : (double)NAN;
    point->measured_min = measured ? report->bubble_min : (double)NAN;
    point->measured_max = measured ? report->bubble_max : (double)NAN;
    point->makespan_s = (double)report->metrics.makespan / 1e9;
    point->tokens_per_s = report->tokens_per_s;
    point->peak_activation_bytes = NAN;
    for (int r = 0; r < report->schedule.ranks; r++) {
        const struct pp_report_rank *rank = &report->ranks[r];
        point->peak_in_flight = fmax(point->peak_in_flight, rank->peak_in_flight);
        point->peak_activation_bytes =
            fmax(point->peak_activation_bytes, rank->peak_activation_bytes);
    }
    point->done = true;
}

/* A shape that is not valid, or that the costs do not fit, marks the point alone; any
 * other failure ends the sweep. */
static int simulate_point(struct pp_report *report, struct pp_sweep_point *point,
                          const struct pp_options *shared, struct pp_error *error)
{
    struct pp_options options = *shared;
    struct pp_plan plan = {0};
    options.schedule = point->schedule;
    options.ranks = point->ranks;
    options.chunks = point->chunks;
    options.microbatches = point->microbatches;
    int status = pp_plan_schedule(&plan, &options, error);
    /* --cost says what a whole rank takes: the same work for every v. */
    if (status == 0)
        status = pp_simulation(report, &plan, &options, 1.0 / point->chunks, error);
    pp_plan_release(&plan);
    if (status == 0 || error->status != PP_BAD_INPUT)
        return status;
    point->status = PP_BAD_INPUT;
    pp_assign(point->reason, sizeof point->reason, "%.*s",
              (int)strcspn(error->text, "\n"), error->text);
    return 0;
}

/* Sets the point's figures, or why there are none. Beside a run stands the simulation
 * with its measured costs, or, if the options give a cost model, with that. */
static int make_point(struct pp_sweep_point *point, const struct pp_options *shared,
                      struct pp_error *error)
{
    struct pp_report simulation = {0}, run = {0};
    const struct pp_scheduler *row = pp_catalogue_find(point->schedule);
    struct pp_options own = *shared;
    const struct pp_options *options = &own;
    /* Do the options say what ops take, or what disturbs them? */
    bool modelled = pp_options_given_for(shared, PP_SIMULATE, PP_RUN) != NULL;
    int status = 0;
    if (row && !row->takes_groups)
        own.group_size = 0; /* it is for the schedules that take groups */
    if (!options->really_run || modelled)
        status = simulate_point(&simulation, point, options, error);
    if (status == 0 && point->status == PP_DONE && options->really_run)
        status = pp_sweep_run(&run, point, options, error);
    if (status == 0 && point->status == PP_DONE) {
        fill_point(point, options->really_run ? &run : &simulation,
                   options->really_run);
        if (options->really_run && modelled)
            point->simulated = simulation.metrics.bubble.fraction;
    }
    pp_report_release(&simulation);
    pp_report_release(&run);
    return status;
}

static int make_points(struct sweep *sweep, FILE *file, bool progress,
                       struct pp_error *error)
{
    int status = 0;
    for (int i = 0; i < sweep->count && status == 0; i++) {
        struct pp_sweep_point *point = &sweep->points[i];
        if (point->done)
            continue;
        if (progress)
            fprintf(stderr, "\rpoint %d/%d  %s p=%d v=%d m=%d\033[K", i + 1,
                    sweep->count, point->schedule, point->ranks, point->chunks,
                    point->microbatches);
        status = make_point(point, sweep->options, error);
        if (status == 0 && point->done && file)
            status = pp_sweep_file_add(file, sweep->options->csv, point, error);
    }
    if (progress)
        fputs("\r\033[K", stderr);
    return status;
}

/* What makes the rows of one file comparable: the version, and what the points share.
 */
static json_t *shared_config(const struct pp_options *options)
{
    json_t *config = pp_options_shared_config(options);
    json_object_set_new(config, "version", json_string(PP_VERSION));
    return config;
}

/* Lists the points, and finds what is wrong with files before the first one is made.
 * Opens the sweep's file, whose rows are points that are done already. */
static int prepare(struct sweep *sweep, FILE **file, struct pp_error *error)
{
    const struct pp_options *options = sweep->options;
    if (pp_launched())
        return pp_fail(error, PP_BAD_INPUT,
                       "'ppsim sweep' starts the ranks of each point itself: leave "
                       "mpirun out");
    if (add_schedules(sweep, options->schedule, error) != 0 ||
        pp_output_paths_check(options, error) != 0)
        return -1;
    if (!options->csv)
        return 0;
    json_t *config = shared_config(options);
    int status = pp_sweep_file_open(file, options->csv, config, sweep->points,
                                    sweep->count, error);
    json_decref(config);
    return status;
}

static int write_outputs(const struct sweep *sweep, int done, struct pp_error *error)
{
    const struct pp_options *options = sweep->options;
    int status = 0;
    if (!options->quiet)
        status =
            pp_sweep_print(sweep->points, sweep->count, pp_text_stream(options), error);
    if (status == 0 && options->json) {
        json_t *config = pp_options_config(options);
        status = pp_sweep_write_json(sweep->points, sweep->count, config, options->json,
                                     error);
        json_decref(config);
    }
    if (status == 0 && options->plot && done > 0)
        status = pp_sweep_plot(sweep->points, sweep->count, options->plot,
                               options->keep_data, error);
    return status;
}

/* Shapes that are not valid fail the sweep only if all are so; a run that failed always
 * does. */
static int judge(const struct sweep *sweep, int done, struct pp_error *error)
{
    const struct pp_sweep_point *worst = &sweep->points[0];
    int failed = 0;
    for (int i = 0; i < sweep->count; i++) {
        failed += sweep->points[i].status > PP_BAD_INPUT;
        if (sweep->points[i].status > worst->status)
            worst = &sweep->points[i];
    }
    if (failed > 0)
        return pp_fail(error, worst->status, "%d of %d points failed: %s", failed,
                       sweep->count, worst->reason);
    if (done == 0)
        return pp_fail(error, PP_BAD_INPUT, "no point of the sweep is valid: %s",
                       worst->reason);
    return 0;
}

int pp_command_sweep(struct pp_options *options)
{
    struct pp_terminal terminal = pp_terminal_detect(false);
    struct pp_error error = {0};
    struct sweep sweep = {.options = options};
    FILE *file = NULL;
    int done = 0;
    int status = prepare(&sweep, &file, &error);
    if (status == 0)
        status = make_points(&sweep, file, terminal.errors && !options->quiet, &error);
    for (int i = 0; i < sweep.count; i++)
        done += sweep.points[i].done;
    if (status == 0)
        status = write_outputs(&sweep, done, &error);
    if (status == 0)
        status = judge(&sweep, done, &error);
    if (file)
        fclose(file);
    free(sweep.points);
    return status == 0 ? PP_DONE : pp_print_error(&error);
}
