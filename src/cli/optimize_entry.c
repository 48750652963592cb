#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/optimize.h"
#include "simulate/simulate.h"

static void fill_entry(struct pp_entry *entry, const struct pp_metrics *metrics,
                       enum pp_objective objective)
{
    entry->bubble = metrics->bubble;
    entry->makespan = metrics->makespan;
    entry->busy = metrics->busy;
    for (int r = 0; r < metrics->ranks; r++) {
        const struct pp_rank_metrics *rank = &metrics->of_rank[r];
        int64_t span = rank->last_end - rank->first_start;
        entry->span = span > entry->span ? span : entry->span;
        entry->most_busy =
            rank->busy > entry->most_busy ? rank->busy : entry->most_busy;
    }
    entry->objective = objective == PP_LEAST_SPAN ? entry->span : entry->makespan;
}

int pp_entry_measure(struct pp_entry *entry, const struct pp_schedule *schedule,
                     const struct pp_tried *tried, enum pp_objective objective,
                     struct pp_error *error)
{
    struct pp_timeline timeline = {0};
    struct pp_metrics metrics = {0};
    *entry = (struct pp_entry){0};
    pp_assign(entry->name, sizeof entry->name, "%s", schedule->name);
    entry->chunks = schedule->chunks;
    entry->copies = schedule->copies;
    entry->placement = schedule->placement;
    for (int r = 0; r < schedule->ranks; r++) {
        double peak;
        if (pp_peak_memory(schedule, r, tried->hold, &peak, error) != 0)
            return -1;
        entry->memory = fmax(entry->memory, peak);
    }
    int status = pp_timeline_init(&timeline, schedule, error);
    if (status == 0)
        status = pp_simulate(schedule, &tried->costs, 0, &timeline, error);
    if (status == 0)
        status = pp_metrics_init(&metrics, &timeline, error);
    if (status == 0 && metrics.makespan == 0)
        status = pp_fail(error, PP_BAD_INPUT,
                         "all op costs are zero: at least one op must take time");
    if (status == 0)
        fill_entry(entry, &metrics, objective);
    pp_metrics_release(&metrics);
    pp_timeline_release(&timeline);
    return status;
}

static int add_entry(struct pp_entries *entries, const struct pp_entry *entry,
                     struct pp_error *error)
{
    struct pp_entry *items =
        realloc(entries->items, ((size_t)entries->count + 1) * sizeof *entries->items);
    if (!items)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d schedules",
                       entries->count);
    entries->items = items;
    entries->items[entries->count++] = *entry;
    return 0;
}

/* Builds the row's schedule, if it has this shape and one copy of the weights. What
 * does not is not an error here. */
static bool build_row(struct pp_schedule *schedule, const struct pp_scheduler *row,
                      const struct pp_plan *plan, struct pp_error *problem)
{
    struct pp_shape shape = plan->shape;
    bool placed =
        plan->schedule.chunks == 1 || row->placement == plan->schedule.placement;
    bool takes = row->takes_chunks || row->default_chunks == shape.chunks;
    return placed && takes && row->placement != PP_MIRRORED &&
           pp_schedule_build(schedule, row, &shape, problem) == 0;
}

static int try_row(struct pp_entries *entries, const struct pp_scheduler *row,
                   struct pp_tried *tried, int index,
                   const struct pp_memory_asked *memory, enum pp_objective objective,
                   struct pp_error *error)
{
    struct pp_schedule schedule = {0};
    struct pp_error problem = {0};
    struct pp_entry entry;
    int status = 0;
    if (!build_row(&schedule, row, &tried->plan, &problem)) {
        pp_schedule_release(&schedule);
        return problem.status == PP_ENVIRONMENT
                   ? pp_fail(error, PP_ENVIRONMENT, "%s", problem.text)
                   : 0;
    }
    status = pp_entry_measure(&entry, &schedule, tried, objective, error);
    entry.tried = index;
    if (status == 0 && pp_memory_fits(entry.memory, memory->limit)) {
        status = add_entry(entries, &entry, error);
        if (status == 0)
            status = pp_searched_start(&tried->searched, &schedule, error);
    } else if (status == 0) {
        entries->least = fmin(entries->least, entry.memory);
    }
    pp_schedule_release(&schedule);
    return status;
}

static int by_objective(const void *a, const void *b)
{
    const struct pp_entry *x = a, *y = b;
    if (x->objective != y->objective)
        return x->objective < y->objective ? -1 : 1;
    return x->tried - y->tried;
}

/* Sorts, and keeps the best of each row. */
static void keep_best(struct pp_entries *entries)
{
    struct pp_entry *items = entries->items;
    int kept = 0;
    if (entries->count == 0)
        return;
    qsort(items, (size_t)entries->count, sizeof *items, by_objective);
    for (int k = 0; k < entries->count; k++) {
        bool known = false;
        for (int j = 0; j < kept; j++)
            known |= strcmp(items[j].name, items[k].name) == 0;
        if (!known)
            items[kept++] = items[k];
    }
    entries->count = kept;
}

int pp_entries_of_rows(struct pp_entries *entries, struct pp_tried *const *tried,
                       int count, const struct pp_memory_asked *memory,
                       enum pp_objective objective, struct pp_error *error)
{
    *entries = (struct pp_entries){.least = INFINITY};
    for (int row = 0; row < pp_catalogue_count(); row++) {
        bool decodes = pp_row_decodes(pp_catalogue_row(row));
        for (int k = 0; k < count && !decodes; k++) {
            if (try_row(entries, pp_catalogue_row(row), tried[k], k, memory, objective,
                        error) != 0)
                return -1;
        }
    }
    keep_best(entries);
    return 0;
}

void pp_entries_release(struct pp_entries *entries)
{
    free(entries->items);
    *entries = (struct pp_entries){0};
}
