/* optimize and recommend as a picture: memory against bubble. */
#include <math.h>
#include <stdlib.h>

#include "base/words.h"
#include "cli/optimize.h"
#include "report/draw/pareto_plot.h"
#include "search/bound.h"

/* Memories at which the bound is drawn. */
enum { PLACES = 64 };

/* The unit of the axis: what one of it is in bytes, or in --memory's own unit. */
static double axis_of(const struct pp_memory_asked *memory, bool plain, double most,
                      char axis[64])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double one = 1;
    int unit = 0;
    for (; memory->bytes && most / one >= 1000 && unit < 4; unit++)
        one *= 1000;
    pp_assign(axis, 64, "most that a rank holds, %s",
              memory->bytes ? units[unit]
              : plain       ? "microbatches"
                            : "in the unit of --memory");
    return one;
}

static struct pp_pareto_point point_of(const struct pp_entry *entry,
                                       enum pp_objective objective, double one)
{
    return (struct pp_pareto_point){entry->name, entry->memory / one,
                                    objective == PP_LEAST_SPAN
                                        ? entry->bubble.span_fraction
                                        : entry->bubble.fraction};
}

/* The least bound of all shapes within the limit; INT64_MAX where none fits. */
static int bound_within(const struct pp_optimized *optimized, double limit,
                        int64_t *bound, struct pp_error *error)
{
    *bound = INT64_MAX;
    for (int k = 0; k < optimized->count; k++) {
        const struct pp_tried *tried = optimized->tried[k];
        const struct pp_schedule *shape = &tried->plan.schedule;
        struct pp_problem problem = {0};
        if (!pp_memory_fits(pp_least_memory(shape, tried->hold), limit))
            continue;
        int status = pp_problem_init(&problem, shape, &tried->costs, tried->hold, limit,
                                     optimized->objective, error);
        int64_t own = status == 0 ? pp_bound(&problem) : 0;
        pp_problem_release(&problem);
        if (status != 0)
            return -1;
        *bound = own < *bound ? own : *bound;
    }
    return 0;
}

/* Returns how many points of the bound there are, or -1. */
static int draw_bound(const struct pp_optimized *optimized, double most, double one,
                      struct pp_pareto_point points[PLACES], struct pp_error *error)
{
    int count = 0;
    for (int k = 1; k <= PLACES; k++) {
        double limit = fmin(optimized->memory.limit, 1.1 * most) * k / PLACES;
        int64_t bound;
        if (bound_within(optimized, limit, &bound, error) != 0)
            return -1;
        if (bound < INT64_MAX)
            points[count++] = (struct pp_pareto_point){
                "", limit / one, fmax(0, pp_bubble_at(optimized, bound))};
    }
    return count;
}

int pp_entries_plot(const struct pp_entries *rows, const struct pp_memory_asked *memory,
                    enum pp_objective objective, const struct pp_optimized *optimized,
                    const struct pp_options *options, struct pp_error *error)
{
    struct pp_pareto_point bound[PLACES], found;
    struct pp_pareto pareto = {.count = rows->count};
    char title[256], axis[64];
    double most = optimized ? optimized->found.memory : 0;
    for (int k = 0; k < rows->count; k++)
        most = fmax(most, rows->items[k].memory);
    double one = axis_of(memory, !options->memory, most, axis);
    struct pp_pareto_point *points = calloc((size_t)rows->count + 1, sizeof *points);
    if (!points)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d schedules",
                       rows->count);
    for (int k = 0; k < rows->count; k++)
        points[k] = point_of(&rows->items[k], objective, one);
    if (optimized) {
        found = point_of(&optimized->found, objective, one);
        found.name = "found";
        pareto.found = &found;
        pareto.bound = bound;
        if (!pp_pairs_overlap(optimized))
            pareto.bound_count = draw_bound(optimized, most, one, bound, error);
    }
    pp_assign(title, sizeof title, "Memory against bubble · p = %d, m = %d",
              options->ranks, options->microbatches);
    pareto.title = title;
    pareto.memory_axis = axis;
    pareto.bubble_axis =
        objective == PP_LEAST_SPAN ? "bubble, span_fraction" : "bubble, fraction";
    pareto.points = points;
    int status = pareto.bound_count < 0
                     ? -1
                     : pp_pareto_plot(&pareto, options->plot, options->keep_data,
                                      options->plot_size, error);
    free(points);
    return status;
}
