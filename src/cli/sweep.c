/* ppsim sweep: many shapes at once, as one table. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/sweep_cross.h"
#include "cli/sweep_file.h"
#include "cli/sweep_judge.h"
#include "cli/sweep_make.h"
#include "cli/sweep_points.h"

#include "cli/terminal.h"
#include "cli/verdicts.h"
#include "report/draw/gnuplot.h"
#include "report/draw/sweep_plot.h"
#include "report/print/sweep.h"
#include "run/launch.h"
#include "version.h"

/* What makes the rows of one file comparable: the version, and what the points share.
 */
static json_t *shared_config(const struct pp_dimensions *dimensions)
{
    static const char *const of_each_row[] = {"schedule", "ranks", "chunks",
                                              "microbatches"};
    json_t *config = pp_options_shared_config(dimensions->options);
    pp_json_set(&config, "version", json_string(PP_VERSION));
    for (int d = 0; d < dimensions->count; d++) {
        const struct pp_dimension *dimension = &dimensions->items[d];
        char key[PP_OPTION_KEY];
        if (dimension->pattern)
            pp_json_set(&config, pp_option_key(dimension->option, key),
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
                   struct pp_judge *judge, struct pp_crossovers *crossovers,
                   struct pp_options *options, FILE **file, struct pp_error *error)
{
    if (pp_launched())
        return pp_fail(error, PP_BAD_INPUT,
                       "'ppsim sweep' starts the ranks of each point itself: leave "
                       "mpirun out");
    options->ranks = options->ranks ? options->ranks : PP_DEFAULT_RANKS;
    options->microbatches =
        options->microbatches ? options->microbatches : PP_DEFAULT_MICROBATCHES;
    if (pp_crossovers_init(crossovers, options, error) != 0 ||
        pp_sweep_list(sweep, dimensions, options, error) != 0 ||
        pp_judge_init(judge, sweep, options, error) != 0 ||
        pp_output_paths_check(options, error) != 0)
        return -1;
    if (!options->csv || on_stdout(options->csv))
        return 0;
    json_t *config = shared_config(dimensions);
    int status = config
                     ? pp_sweep_file_open(file, options->csv, config, sweep, error)
                     : pp_fail(error, PP_ENVIRONMENT, "out of memory for the options");
    json_decref(config);
    return status == 0 ? pp_judge_recall(sweep, options->csv, error) : -1;
}

static int write_outputs(struct pp_sweep *sweep, const struct pp_judge *judge,
                         const struct pp_crossovers *crossovers,
                         const struct pp_options *options, int done,
                         struct pp_error *error)
{
    int status = 0;
    /* A line of the picture goes on from point to point: it is drawn before sorting. */
    if (options->plot && done > 0)
        status = pp_sweep_plot(sweep, options->plot, options->keep_data,
                               options->plot_size, error);
    if (status == 0)
        status = pp_judge_sort(judge, sweep, error);
    if (status == 0 && options->crossover)
        status = pp_crossovers_print(crossovers, sweep, pp_text_stream(options), error);
    else if (status == 0 && !options->quiet)
        status = pp_sweep_print(sweep, pp_text_stream(options), error);
    if (status == 0 && sweep->best >= 0)
        pp_sweep_print_best(sweep, pp_text_stream(options));
    if (status == 0 && on_stdout(options->csv))
        status = pp_sweep_write_csv(sweep, error);
    if (status == 0 && options->json) {
        json_t *config = pp_options_config(options);
        status = pp_sweep_write_json(
            sweep, config, pp_crossovers_json(crossovers, sweep), options->json, error);
        json_decref(config);
    }
    return status;
}

/* Shapes that are not valid fail the sweep only if all are so; a run that failed always
 * does. */
static int judge_failures(const struct pp_sweep *sweep, int done,
                          struct pp_error *error)
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
    struct pp_judge judge = {0};
    struct pp_crossovers crossovers = {0};
    FILE *file = NULL;
    bool passed = true, told = false;
    int done = 0;
    int status =
        prepare(&sweep, &dimensions, &judge, &crossovers, options, &file, &error);
    if (status == 0)
        status = pp_sweep_make(&sweep, &dimensions, file,
                               terminal.errors && !options->quiet, &error);
    for (int i = 0; i < sweep.count; i++)
        done += sweep.points[i].done;
    if (status == 0)
        status = pp_judge_points(&judge, &sweep, &error);
    if (status == 0 && options->crossover)
        status = pp_crossovers_find(&crossovers, &sweep, &dimensions, &error);
    if (status == 0)
        status = write_outputs(&sweep, &judge, &crossovers, options, done, &error);
    if (status == 0) {
        status = pp_judge_print(&judge, &sweep, options, &passed, &error);
        told = true;
    }
    if (status == 0)
        status = judge_failures(&sweep, done, &error);
    if (file)
        fclose(file);
    pp_judge_release(&judge);
    pp_crossovers_release(&crossovers);
    pp_dimensions_release(&dimensions);
    pp_sweep_release(&sweep);
    if (status != 0) /* in every format that has no verdicts yet */
        return told ? pp_print_error(&error) : pp_refuse(options, &error);
    return passed ? PP_DONE : PP_CHECK_FAILED;
}
