#include "cli/sweep_make.h"

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "cli/simulation.h"
#include "cli/sweep_file.h"
#include "cli/sweep_run.h"

static void fill_point(const struct pp_sweep *sweep, struct pp_sweep_point *point,
                       const struct pp_report *report, bool measured)
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
    for (int j = 0; j < sweep->judged_count; j++) {
        const struct pp_judged *judged = &sweep->judged[j];
        point->judged[j] = judged->rank < report->schedule.ranks
                               ? pp_figure_value(judged->figure, report, judged->rank)
                               : (double)NAN;
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

int pp_sweep_simulate(struct pp_report *report, const struct pp_options *options,
                      struct pp_error *error)
{
    struct pp_plan plan = {0};
    int status = pp_plan_schedule(&plan, options, error);
    if (status == 0)
        status = pp_simulation(report, &plan, options, error);
    pp_plan_release(&plan);
    return status;
}

/* Sets the point's figures, or why there are none. Beside a run stands the simulation
 * with its measured costs, or, if the options give a cost model, with that. */
static int make_point(const struct pp_sweep *sweep, struct pp_sweep_point *point,
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
    if ((!runs || modelled) && pp_sweep_simulate(&simulation, &options, error) != 0)
        status = mark_invalid(point, error);
    if (status == 0 && point->status == PP_DONE && runs)
        status = pp_sweep_run(&run, point, &options, error);
    if (status == 0 && point->status == PP_DONE) {
        fill_point(sweep, point, runs ? &run : &simulation, runs);
        if (runs && modelled)
            point->simulated = simulation.metrics.bubble.fraction;
    }
    pp_report_release(&simulation);
    pp_report_release(&run);
    return status;
}

int pp_sweep_make(struct pp_sweep *sweep, const struct pp_dimensions *dimensions,
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
        status = make_point(sweep, point, dimensions, error);
        if (status == 0 && point->done && file)
            status = pp_sweep_file_add(file, path, sweep, point, error);
    }
    if (progress)
        fputs("\r\033[K", stderr);
    return status;
}
