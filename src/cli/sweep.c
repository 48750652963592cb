/* ppsim sweep: many shapes at once, as one table. */
#include "cli/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/simulation.h"
#include "cli/sweep_points.h"
#include "cli/sweep_run.h"
#include "cli/terminal.h"
#include "report/draw/gnuplot.h"
#include "report/draw/sweep_plot.h"
#include "report/print/sweep.h"
#include "run/launch.h"
#include "version.h"

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
    point->peak_in_flight = 0;
    point->peak_activation_bytes = NAN;
    for (int r = 0; r < report->schedule.ranks; r++) {
        const struct pp_report_rank *rank = &report->ranks[r];
        point->peak_in_flight = fmax(point->peak_in_flight, rank->peak_in_flight);
        point->peak_activation_bytes =
            fmax(point->peak_activation_bytes, rank->peak_activation_bytes);
    }
    point->done = true;
}

/* A point that is not valid, or that the costs do not fit, marks itself alone; any
 * other failure ends the sweep. */
static int mark_invalid(struct pp_sweep_point *point, const struct pp_error *error)
{
    if (error->status != PP_BAD_INPUT)
        return -1;
    point->status = PP_BAD_INPUT;
    pp_assign(point->reason, sizeof point->reason, "%.*s",
              (int)strcspn(error->text, "\n"), error->text);
    return 0;
}

static int simulate_point(struct pp_report *report, struct pp_sweep_point *point,
                          const struct pp_options *options, struct pp_error *error)
{
    struct pp_plan plan = {0};
    int status = pp_plan_schedule(&plan, options, error);
    /* --cost says what a whole rank takes: the same work for every v. */
    if (status == 0)
        status = pp_simulation(report, &plan, options, 1.0 / point->chunks, error);
    pp_plan_release(&plan);
    return status == 0 ? 0 : mark_invalid(point, error);
}

/* Sets the point's figures, or why there are none. Beside a run stands the simulation
 * with its measured costs, or, if the options give a cost model, with that. */
static int make_point(struct pp_sweep_point *point,
                      const struct pp_dimensions *dimensions, struct pp_error *error)
{
    struct pp_report simulation = {0}, run = {0};
    struct pp_options options;
    if (pp_point_options(&options, dimensions, point, error) != 0)
        return mark_invalid(point, error);
    /* Do the options say what ops take, or what disturbs them? */
    bool modelled = pp_options_given_for(&options, PP_SIMULATE, PP_RUN) != NULL;
    bool runs = options.really_run;
    int status = 0;
    if (!runs || modelled)
        status = simulate_point(&simulation, point, &options, error);
    if (status == 0 && point->status == PP_DONE && runs)
        status = pp_sweep_run(&run, point, &options, error);
    if (status == 0 && point->status == PP_DONE) {
        fill_point(point, runs ? &run : &simulation, runs);
        if (runs && modelled)
            point->simulated = simulation.metrics.bubble.fraction;
    }
    pp_report_release(&simulation);
    pp_report_release(&run);
    return status;
}

static int make_points(struct pp_sweep *sweep, const struct pp_dimensions *dimensions,
                       FILE *file, bool progress, struct pp_error *error)
{
    const char *path = dimensions->options->csv;
    char text[PP_POINT_TEXT];
    int status = 0;
    for (int i = 0; i < sweep->count && status == 0; i++) {
        struct pp_sweep_point *point = &sweep->points[i];
        if (point->done)
            continue;
        if (progress)
            fprintf(stderr, "\rpoint %d/%d  %s\033[K", i + 1, sweep->count,
                    pp_sweep_point_text(sweep, point, text));
        status = make_point(point, dimensions, error);
        if (status == 0 && point->done && file)
            status = pp_sweep_file_add(file, path, sweep, point, error);
    }
    if (progress)
        fputs("\r\033[K", stderr);
    return status;
}

/* What makes the rows of one file comparable: the version, and what the points share.
 */
static json_t *shared_config(const struct pp_dimensions *dimensions)
{
    static const char *const of_each_row[] = {"schedule", "ranks", "chunks",
                                              "microbatches"};
    json_t *config = pp_options_shared_config(dimensions->options);
    json_object_set_new(config, "version", json_string(PP_VERSION));
    for (int d = 0; d < dimensions->count; d++) {
        const struct pp_dimension *dimension = &dimensions->items[d];
        char key[PP_OPTION_KEY];
        if (dimension->pattern)
            json_object_set_new(config, pp_option_key(dimension->option, key),
                                json_string(dimension->pattern));
    }
    for (size_t i = 0; i < sizeof of_each_row / sizeof *of_each_row; i++)
        json_object_del(config, of_each_row[i]);
    return config;
}

static bool on_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* Lists the points, and finds what is wrong with files before the first one is made.
 * Opens the sweep's file, whose rows are points that are done already. */
static int prepare(struct pp_sweep *sweep, struct pp_dimensions *dimensions,
                   struct pp_options *options, FILE **file, struct pp_error *error)
{
    if (pp_launched())
        return pp_fail(error, PP_BAD_INPUT,
                       "'ppsim sweep' starts the ranks of each point itself: leave "
                       "mpirun out");
    options->ranks = options->ranks ? options->ranks : PP_DEFAULT_RANKS;
    options->microbatches =
        options->microbatches ? options->microbatches : PP_DEFAULT_MICROBATCHES;
    if (pp_sweep_list(sweep, dimensions, options, error) != 0 ||
        pp_output_paths_check(options, error) != 0)
        return -1;
    if (!options->csv || on_stdout(options->csv))
        return 0;
    json_t *config = shared_config(dimensions);
    int status = pp_sweep_file_open(file, options->csv, config, sweep, error);
    json_decref(config);
    return status;
}

static int write_outputs(const struct pp_sweep *sweep, const struct pp_options *options,
                         int done, struct pp_error *error)
{
    int status = 0;
    if (!options->quiet)
        status = pp_sweep_print(sweep, pp_text_stream(options), error);
    if (status == 0 && on_stdout(options->csv))
        status = pp_sweep_write_csv(sweep, error);
    if (status == 0 && options->json) {
        json_t *config = pp_options_config(options);
        status = pp_sweep_write_json(sweep, config, options->json, error);
        json_decref(config);
    }
    if (status == 0 && options->plot && done > 0)
        status = pp_sweep_plot(sweep, options->plot, options->keep_data, error);
    return status;
}

/* Shapes that are not valid fail the sweep only if all are so; a run that failed always
 * does. */
static int judge(const struct pp_sweep *sweep, int done, struct pp_error *error)
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
    struct pp_sweep sweep = {0};
    struct pp_dimensions dimensions = {0};
    FILE *file = NULL;
    int done = 0;
    int status = prepare(&sweep, &dimensions, options, &file, &error);
    if (status == 0)
        status = make_points(&sweep, &dimensions, file,
                             terminal.errors && !options->quiet, &error);
    for (int i = 0; i < sweep.count; i++)
        done += sweep.points[i].done;
    if (status == 0)
        status = write_outputs(&sweep, options, done, &error);
    if (status == 0)
        status = judge(&sweep, done, &error);
    if (file)
        fclose(file);
    pp_dimensions_release(&dimensions);
    pp_sweep_release(&sweep);
    return status == 0 ? PP_DONE : pp_print_error(&error);
}
