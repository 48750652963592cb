#include "cli/sweep_cross.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/sweep_make.h"

enum { GRID = 33 };

/* What a search for an order has no use for. */
static int refuse_others(const struct pp_options *options, struct pp_error *error)
{
    static const char *const others[] = {"run",  "csv",  "check", "where",
                                         "best", "sort", "jitter"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (pp_options_given(options, others[i]))
            return pp_fail(error, PP_BAD_INPUT,
                           "'--crossover' searches by simulation for the places where "
                           "the order changes, and '--json' writes them: leave '--%s' "
                           "out",
                           others[i]);
    }
    return 0;
}

/* Puts the grid's numbers in the place of the interval, which is the option's only
 * value. */
static int expand(struct pp_crossovers *crossovers, struct pp_list *list,
                  struct pp_error *error)
{
    struct pp_interval *interval = &crossovers->interval;
    double last = NAN;
    if (list->count != 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' has an interval, and can have no other value",
                       interval->option->name);
    crossovers->text = list->values[0];
    list->values[0] = NULL;
    list->count = 0;
    char **values = realloc(list->values, GRID * sizeof *values);
    crossovers->grid = malloc(GRID * sizeof *crossovers->grid);
    list->values = values ? values : list->values;
    if (!values || !crossovers->grid)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for an interval");
    pp_interval_grid(interval, crossovers->grid, GRID);
    for (int i = 0; i < GRID; i++) {
        if (!(last < crossovers->grid[i]) && i > 0)
            continue; /* a short interval has fewer ns */
        last = crossovers->grid[i];
        crossovers->grid[crossovers->grid_count++] = last;
        values[list->count] = pp_interval_text(interval, last);
        if (!values[list->count++])
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for an interval");
    }
    return 0;
}

int pp_crossovers_init(struct pp_crossovers *crossovers, struct pp_options *options,
                       struct pp_error *error)
{
    struct pp_interval *interval = &crossovers->interval;
    int found = pp_interval_find(interval, options, error);
    if (found < 0)
        return -1;
    if (found > 0 && !options->crossover)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--%s' '%s': FROM..TO is for '--crossover'; a list is "
                       "FROM:TO:xFACTOR or FROM:TO:+STEP",
                       interval->option->name, interval->text);
    if (!options->crossover)
        return 0;
    if (found != 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--crossover' searches one interval, as in '--link' "
                       "latency=1us..1ms: there are %d",
                       found);
    if (refuse_others(options, error) != 0)
        return -1;
    return expand(crossovers, &options->lists[interval->option - pp_option_table],
                  error);
}

void pp_crossovers_release(struct pp_crossovers *crossovers)
{
    free(crossovers->grid);
    free(crossovers->text);
    free(crossovers->items);
    *crossovers = (struct pp_crossovers){0};
}

/* The search through one combination of what else varies. */
struct search {
    const struct pp_interval *interval;
    const struct pp_dimensions *dimensions;
    const struct pp_sweep_point *points[2];
    struct pp_crossover *found;
};

static int order(const double makespan_s[2])
{
    if (makespan_s[0] < makespan_s[1])
        return 0;
    return makespan_s[0] > makespan_s[1] ? 1 : -1;
}

/* Simulates both schedules at the number. */
static int look(const struct search *search, double number, struct pp_cross *cross,
                struct pp_error *error)
{
    char *text = pp_interval_text(search->interval, number);
    int status = text ? 0 : pp_fail(error, PP_ENVIRONMENT, "out of memory for a text");
    for (int s = 0; s < 2 && status == 0; s++) {
        struct pp_report report = {0};
        struct pp_options options;
        status =
            pp_point_options(&options, search->dimensions, search->points[s], error);
        if (status == 0)
            status = pp_option_set(&options, search->interval->option, text, error);
        if (status == 0)
            status = pp_sweep_simulate(&report, &options, error);
        if (status == 0) {
            cross->makespan_s[s] = (double)report.metrics.makespan / 1e9;
            cross->bubble[s] = report.metrics.bubble.fraction;
        }
        pp_report_release(&report);
    }
    free(text);
    cross->at = number;
    cross->better = order(cross->makespan_s);
    return status;
}

/* Narrows the places low and high, where the order differs, down to neighbours. */
static int bisect(const struct search *search, struct pp_cross *low,
                  struct pp_cross *high, struct pp_error *error)
{
    for (;;) {
        struct pp_cross middle;
        double at =
            pp_interval_round(search->interval, low->at + (high->at - low->at) / 2);
        if (!(at > low->at && at < high->at))
            return 0;
        if (look(search, at, &middle, error) != 0)
            return -1;
        *(middle.better == low->better ? low : high) = middle;
    }
}

static void add_segment(struct pp_crossover *found, const struct pp_cross *cross)
{
    if (found->count < PP_MOST_SEGMENTS)
        found->segments[found->count++] = *cross;
}

/* Adds each change of the order between two neighbours of the grid: from better to
 * equal to worse are two. */
static int search_between(const struct search *search, const struct pp_cross *from,
                          const struct pp_cross *to, struct pp_error *error)
{
    struct pp_cross low = *from;
    while (low.better != to->better) {
        struct pp_cross high = *to;
        if (bisect(search, &low, &high, error) != 0)
            return -1;
        add_segment(search->found, &high);
        low = high;
    }
    return 0;
}

/* Are they of two schedules, and all that varies for both is the same? */
static bool are_comparable(const struct pp_dimensions *dimensions,
                           const struct pp_sweep_point *a,
                           const struct pp_sweep_point *b)
{
    const int *own = dimensions->chosen[a->serial];
    const int *other = dimensions->chosen[b->serial];
    bool same = strcmp(a->schedule, b->schedule) != 0;
    for (int d = 0; d < dimensions->count && same; d++)
        same = own[d] == other[d] || own[d] < 0 || other[d] < 0;
    return same;
}

/* The points behind the first one along the grid follow it, since the interval's
 * dimension may vary faster than others: stride is how far apart they are. */
static int search_grid(struct search *search, const struct pp_crossovers *crossovers,
                       int stride, struct pp_error *error)
{
    struct pp_cross last = {0};
    for (int k = 0; k < crossovers->grid_count; k++) {
        struct pp_cross here = {.at = crossovers->grid[k]};
        for (int s = 0; s < 2; s++) {
            const struct pp_sweep_point *point =
                &search->points[s][(ptrdiff_t)k * stride];
            if (!point->done) {
                search->found->reason = point->reason;
                search->found->count = 0;
                return 0;
            }
            here.makespan_s[s] = point->makespan_s;
            here.bubble[s] = point->simulated;
        }
        here.better = order(here.makespan_s);
        if (k == 0)
            add_segment(search->found, &here);
        else if (search_between(search, &last, &here, error) != 0)
            return -1;
        last = here;
    }
    return 0;
}

static int interval_dimension(const struct pp_crossovers *crossovers,
                              const struct pp_dimensions *dimensions)
{
    int d = 0;
    while (dimensions->items[d].option != crossovers->interval.option)
        d++;
    return d;
}

/* How far apart points are that differ in the dimension alone: as the later ones vary
 * faster. */
static int stride_of(const struct pp_dimensions *dimensions, int dimension,
                     const struct pp_sweep_point *point)
{
    int stride = 1;
    for (int d = dimension + 1; d < dimensions->count; d++) {
        if (dimensions->chosen[point->serial][d] >= 0)
            stride *= dimensions->items[d].list->count;
    }
    return stride;
}

/* Adds what a search through the grid finds, of the points that are its first place. */
static int compare(struct pp_crossovers *crossovers,
                   const struct pp_dimensions *dimensions,
                   const struct pp_sweep_point *point,
                   const struct pp_sweep_point *other, struct pp_error *error)
{
    struct pp_crossover *items =
        realloc(crossovers->items, ((size_t)crossovers->count + 1) * sizeof *items);
    if (!items)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the crossovers");
    crossovers->items = items;
    struct pp_crossover *found = &items[crossovers->count++];
    *found = (struct pp_crossover){.points = {point, other}};
    struct search search = {&crossovers->interval, dimensions, {point, other}, found};
    int dimension = interval_dimension(crossovers, dimensions);
    return search_grid(&search, crossovers, stride_of(dimensions, dimension, point),
                       error);
}

int pp_crossovers_find(struct pp_crossovers *crossovers, const struct pp_sweep *sweep,
                       const struct pp_dimensions *dimensions, struct pp_error *error)
{
    int dimension = interval_dimension(crossovers, dimensions), schedules = 1;
    for (int i = 1; i < sweep->count; i++)
        schedules +=
            strcmp(sweep->points[i].schedule, sweep->points[i - 1].schedule) != 0;
    if (schedules != 2)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--crossover' compares two schedules, as in '--schedule' "
                       "1f1b,interleaved: there %s %d",
                       schedules == 1 ? "is" : "are", schedules);
    /* The points of a schedule follow each other, those of the first one first. */
    for (int i = 0; i < sweep->count; i++) {
        const struct pp_sweep_point *point = &sweep->points[i];
        if (dimensions->chosen[point->serial][dimension] != 0)
            continue;
        for (int k = i + 1; k < sweep->count; k++) {
            const struct pp_sweep_point *other = &sweep->points[k];
            if (are_comparable(dimensions, point, other) &&
                compare(crossovers, dimensions, point, other, error) != 0)
                return -1;
        }
    }
    for (int i = 0; i < crossovers->count; i++) {
        if (crossovers->items[i].count > 0)
            return 0;
    }
    return pp_fail(error, PP_BAD_INPUT, "no pair of the sweep can be compared%s%s",
                   crossovers->count > 0 ? ": " : "",
                   crossovers->count > 0 ? crossovers->items[0].reason : "");
}
