/* ppsim optimize: a schedule found for given costs and memory. */
#include <stdlib.h>
#include <string.h>

#include "base/output.h"
#include "base/scan.h"
#include "base/words.h"
#include "cli/command.h"
#include "cli/optimize.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "schedule/csv.h"
#include "schedule/verify.h"

/* Stages per rank that are tried where --chunks does not say. */
enum { MOST_CHUNKS = 4 };

/* Once all shapes have had their share, the layer split is improved, and the rest goes
 * to the best. */
static const double share_of_shapes = 0.8;

/* The share of the time after which no further starts are made. */
static const double most_for_starts = 0.3;

/* --- what is tried ---------------------------------------------------------------- */

static int add_tried(struct pp_optimized *optimized, struct pp_tried *tried,
                     struct pp_error *error)
{
    struct pp_tried **all = realloc(optimized->tried, ((size_t)optimized->count + 1) *
                                                          sizeof(struct pp_tried *));
    if (!all)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d shapes",
                       optimized->count + 1);
    optimized->tried = all;
    all[optimized->count++] = tried;
    return 0;
}

static void free_tried(struct pp_tried *tried)
{
    if (tried)
        pp_tried_release(tried);
    free(tried);
}

static struct pp_tried *make_tried(const struct pp_optimized *optimized,
                                   const struct pp_try *what,
                                   const struct pp_options *options,
                                   struct pp_error *error)
{
    struct pp_tried *tried = calloc(1, sizeof *tried);
    if (!tried)
        (void)pp_fail(error, PP_ENVIRONMENT, "out of memory for a shape");
    if (tried && pp_tried_init(tried, what, options, &optimized->memory, error) == 0 &&
        pp_tried_search(tried, &optimized->memory, optimized->objective, error) == 0)
        return tried;
    free_tried(tried);
    return NULL;
}

/* Is one of the shapes that are tried already the same, with the same split? */
static bool is_tried(const struct pp_optimized *optimized, const struct pp_tried *tried)
{
    const struct pp_plan *plan = &tried->plan;
    for (int k = 0; k < optimized->count; k++) {
        const struct pp_plan *other = &optimized->tried[k]->plan;
        if (other->schedule.stages == plan->schedule.stages &&
            other->schedule.placement == plan->schedule.placement &&
            (!plan->layers_of ||
             memcmp(other->layers_of, plan->layers_of,
                    (size_t)plan->schedule.stages * sizeof *plan->layers_of) == 0))
            return true;
    }
    return false;
}

/* Tries the shape. Costs and layers that do not fit it are kept in *problem. */
static int try_shape(struct pp_optimized *optimized, const struct pp_try *what,
                     const struct pp_options *options, struct pp_error *problem)
{
    struct pp_error own = {0};
    struct pp_tried *tried = make_tried(optimized, what, options, &own);
    if (!tried) {
        if (problem->status == 0 || own.status != PP_BAD_INPUT)
            *problem = own;
        return own.status == PP_BAD_INPUT ? 0 : -1;
    }
    if (!is_tried(optimized, tried))
        return add_tried(optimized, tried, problem);
    free_tried(tried);
    return 0;
}

/* Every number of chunks on every placement, with the layers as they are and balanced.
 */
static int try_shapes(struct pp_optimized *optimized, const struct pp_options *options,
                      struct pp_error *error)
{
    bool splits = options->costs || options->device;
    const char *split[] = {NULL, "auto"};
    int count = splits && !pp_options_given(options, "layer-split") ? 2 : 1;
    int from = options->chunks ? options->chunks : 1;
    int to = options->chunks ? options->chunks : MOST_CHUNKS;
    struct pp_error problem = {0};
    for (int v = from; v <= to; v++) {
        for (int p = PP_LOOP; p <= PP_V; p++) {
            const char *name = pp_placement_name((enum pp_placement)p);
            bool asked = !options->placement || strcmp(options->placement, name) == 0;
            bool alike = v == 1 && p != PP_LOOP; /* they differ in nothing */
            for (int k = 0; k < count && !alike && (asked || v == 1); k++) {
                struct pp_try what = {v, (enum pp_placement)p, split[k]};
                if (try_shape(optimized, &what, options, &problem) != 0) {
                    *error = problem;
                    return -1;
                }
            }
        }
    }
    if (optimized->count == 0)
        *error = problem;
    return optimized->count > 0 ? 0 : -1;
}

/* A limit that nothing can meet. */
static int check_limit(const struct pp_optimized *optimized, struct pp_error *error)
{
    const struct pp_memory_asked *memory = &optimized->memory;
    double least = 0;
    char limit_text[PP_AMOUNT_TEXT], least_text[PP_AMOUNT_TEXT];
    for (int k = 0; k < optimized->count; k++) {
        const struct pp_tried *tried = optimized->tried[k];
        double own = pp_least_memory(&tried->plan.schedule, tried->hold);
        least = k == 0 || own < least ? own : least;
    }
    if (pp_memory_fits(least, memory->limit))
        return 0;
    return pp_fail(
        error, PP_BAD_INPUT,
        "'--memory-limit' %s: every schedule holds %s at least, one microbatch "
        "on all stages of a rank",
        pp_amount_text(memory, memory->limit, limit_text),
        pp_amount_text(memory, least, least_text));
}

/* --- searching -------------------------------------------------------------------- */

/* A bar as wide as the terminal leaves room for. */
static bool show_progress(void *data, double used)
{
    enum { WIDTH = 40 };
    int *shown = data, percent = (int)(100 * used);
    if (percent == *shown)
        return true;
    *shown = percent;
    fprintf(stderr, "\rsearching [%.*s%*s] %3d %%", percent * WIDTH / 100,
            "########################################", WIDTH - percent * WIDTH / 100,
            "", percent);
    return true;
}

static struct pp_searched **all_searched(const struct pp_optimized *optimized,
                                         struct pp_error *error)
{
    struct pp_searched **all =
        calloc((size_t)optimized->count, sizeof(struct pp_searched *));
    for (int k = 0; all && k < optimized->count; k++)
        all[k] = &optimized->tried[k]->searched;
    if (!all)
        (void)pp_fail(error, PP_ENVIRONMENT, "out of memory for %d shapes",
                      optimized->count);
    return all;
}

static int best_tried(const struct pp_optimized *optimized)
{
    int best = 0;
    for (int k = 1; k < optimized->count; k++) {
        if (optimized->tried[k]->searched.best.objective <
            optimized->tried[best]->searched.best.objective)
            best = k;
    }
    return best;
}

/* The orders of the best with one layer moved from one stage to another. NULL, without
 * an error, where that does not make them better. */
static struct pp_tried *move_layer(const struct pp_optimized *optimized, int from,
                                   int to, const struct pp_options *options,
                                   struct pp_error *error)
{
    struct pp_tried *best = optimized->tried[best_tried(optimized)];
    struct pp_try what = {.chunks = best->plan.schedule.chunks,
                          .placement = best->plan.schedule.placement};
    struct pp_error problem = {0};
    char split[4096];
    best->plan.layers_of[from]--;
    best->plan.layers_of[to]++;
    pp_tried_split(best, split, sizeof split);
    best->plan.layers_of[from]++;
    best->plan.layers_of[to]--;
    what.split = split;
    struct pp_tried *tried = make_tried(optimized, &what, options, &problem);
    if (!tried || pp_searched_adopt(&tried->searched, &best->searched, &problem) != 0) {
        if (problem.status != PP_BAD_INPUT)
            *error = problem;
        free_tried(tried);
        return NULL;
    }
    if (tried->searched.best.objective < best->searched.best.objective)
        return tried;
    free_tried(tried);
    return NULL;
}

/* Moves single layers off the rank that does most, while that helps and there is time.
 */
static int improve_split(struct pp_optimized *optimized,
                         const struct pp_options *options,
                         const struct pp_budget *budget, struct pp_error *error)
{
    bool helped = true;
    if (pp_options_given(options, "layer-split") ||
        !optimized->tried[0]->plan.layers_of)
        return 0;
    while (helped && pp_budget_used(budget) < 1) {
        const struct pp_tried *best = optimized->tried[best_tried(optimized)];
        const struct pp_schedule *shape = &best->plan.schedule;
        const int64_t *work = best->searched.problem.work;
        int most = 0;
        for (int r = 1; r < shape->ranks; r++)
            most = work[r] > work[most] ? r : most;
        helped = false;
        for (int k = 0; k < shape->stages * shape->stages && !helped; k++) {
            int from = k / shape->stages, to = k % shape->stages;
            if (shape->rank_of[from] != most || shape->rank_of[to] == most ||
                best->plan.layers_of[from] == 1)
                continue;
            struct pp_tried *better = move_layer(optimized, from, to, options, error);
            if (error->status != 0)
                return -1;
            helped = better && add_tried(optimized, better, error) == 0;
            if (better && !helped) {
                free_tried(better);
                return -1;
            }
        }
    }
    return 0;
}

static int search(struct pp_optimized *optimized, const struct pp_options *options,
                  struct pp_budget *budget, struct pp_error *error)
{
    uint64_t seed = (uint64_t)options->seed;
    struct pp_searched **all = all_searched(optimized, error);
    int status = all ? 0 : -1;
    for (int k = 0; k < optimized->count && status == 0; k++) {
        bool late = budget->iterations == 0 && pp_budget_used(budget) > most_for_starts;
        if (!late || k == 0)
            status = pp_searched_construct(all[k], error);
    }
    if (status == 0)
        status = pp_search(all, optimized->count, seed, share_of_shapes, budget, error);
    free(all);
    if (status == 0)
        status = improve_split(optimized, options, budget, error);
    all = status == 0 ? all_searched(optimized, error) : NULL;
    if (all)
        status = pp_search(all, optimized->count, seed + 1, 1, budget, error);
    free(all);
    return status;
}

/* --- the result ------------------------------------------------------------------- */

/* Of the search, or the row that is better: one whose B takes less than I and W, or
 * whose pairs overlap. */
static int take_found(struct pp_optimized *optimized, struct pp_error *error)
{
    int best = best_tried(optimized);
    const struct pp_tried *tried = optimized->tried[best];
    const struct pp_entry *row =
        optimized->rows.count > 0 ? optimized->rows.items : NULL;
    int status;
    if (row && row->objective < tried->searched.best.objective) {
        tried = optimized->tried[row->tried];
        best = row->tried;
        struct pp_shape shape = tried->plan.shape;
        status = pp_schedule_build(&optimized->schedule, pp_catalogue_find(row->name),
                                   &shape, error);
    } else {
        status = pp_orders_write(&tried->searched.best.orders, "found",
                                 &optimized->schedule, error);
    }
    if (status == 0)
        status = pp_verify(&optimized->schedule, "found", error);
    if (status == 0)
        status = pp_entry_measure(&optimized->found, &optimized->schedule, tried,
                                  optimized->objective, error);
    optimized->found.tried = best;
    optimized->bound = INT64_MAX;
    for (int k = 0; k < optimized->count; k++) {
        int64_t bound = optimized->tried[k]->searched.bound;
        optimized->bound = bound < optimized->bound ? bound : optimized->bound;
    }
    return status;
}

bool pp_pairs_overlap(const struct pp_optimized *optimized)
{
    const struct pp_costs *costs = &optimized->tried[0]->costs;
    return costs->joined || costs->joined_factor != 1;
}

double pp_bubble_at(const struct pp_optimized *optimized, int64_t objective)
{
    const struct pp_entry *found = &optimized->found;
    double time = (double)objective;
    if (optimized->objective == PP_LEAST_SPAN)
        return 1 - (double)found->most_busy / time;
    return 1 - (double)found->busy / (optimized->schedule.ranks * time);
}

double pp_bound_bubble(const struct pp_optimized *optimized)
{
    return pp_bubble_at(optimized, optimized->bound);
}

double pp_bound_gap(const struct pp_optimized *optimized)
{
    return (double)optimized->found.objective / (double)optimized->bound - 1;
}

static int save(const struct pp_schedule *schedule, const char *path,
                struct pp_error *error)
{
    struct pp_output output;
    if (pp_output_open(&output, path, error) != 0)
        return -1;
    if (pp_csv_write(schedule, output.stream, false, error) != 0) {
        pp_output_abandon(&output);
        return -1;
    }
    return pp_output_commit(&output, error);
}

static int prepare(struct pp_optimized *optimized, struct pp_options *options,
                   struct pp_budget *budget, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("time-limit", options->time_limit, error);
    double ns;
    options->ranks = options->ranks ? options->ranks : PP_DEFAULT_RANKS;
    options->microbatches =
        options->microbatches ? options->microbatches : PP_DEFAULT_MICROBATCHES;
    optimized->objective = (enum pp_objective)options->objective;
    if (!options->memory_limit)
        return pp_fail(error, PP_BAD_INPUT,
                       "'ppsim optimize' needs '--memory-limit', what a rank may hold "
                       "at once: as many microbatches as there are ranks is what 1f1b "
                       "holds");
    if (pp_output_paths_check(options, error) != 0 ||
        pp_memory_asked_init(&optimized->memory, options, error) != 0 ||
        pp_scan_positive(&scanner, &pp_seconds, &ns) != 0 ||
        pp_scan_end(&scanner) != 0 || try_shapes(optimized, options, error) != 0)
        return -1;
    budget->iterations = options->iterations;
    budget->seconds = ns / 1e9;
    return check_limit(optimized, error);
}

static int optimize(struct pp_optimized *optimized, struct pp_options *options,
                    const struct pp_terminal *terminal, struct pp_error *error)
{
    struct pp_budget budget = {0};
    int shown = -1;
    if (prepare(optimized, options, &budget, error) != 0)
        return -1;
    bool bar = terminal->errors && !options->quiet;
    budget.tell = bar ? show_progress : NULL;
    budget.data = &shown;
    pp_budget_start(&budget);
    int status =
        pp_entries_of_rows(&optimized->rows, optimized->tried, optimized->count,
                           &optimized->memory, optimized->objective, error);
    if (status == 0)
        status = search(optimized, options, &budget, error);
    if (bar)
        fputs("\r\033[K", stderr);
    optimized->iterations = budget.done;
    optimized->seconds = pp_budget_seconds(&budget);
    return status == 0 ? take_found(optimized, error) : -1;
}

static void optimized_release(struct pp_optimized *optimized)
{
    for (int k = 0; k < optimized->count; k++)
        free_tried(optimized->tried[k]);
    free(optimized->tried);
    pp_entries_release(&optimized->rows);
    pp_schedule_release(&optimized->schedule);
}

int pp_command_optimize(struct pp_options *options)
{
    struct pp_terminal terminal = pp_terminal_detect(false);
    struct pp_error error = {0};
    struct pp_optimized optimized = {0};
    int status = optimize(&optimized, options, &terminal, &error);
    if (status == 0 && options->save)
        status = save(&optimized.schedule, options->save, &error);
    if (status == 0 && options->json)
        status = pp_optimized_write_json(&optimized, options, &error);
    if (status == 0 && options->plot)
        status = pp_entries_plot(&optimized.rows, &optimized.memory,
                                 optimized.objective, &optimized, options, &error);
    if (status == 0 && !options->quiet)
        status = pp_optimized_print(&optimized, options, pp_text_stream(options),
                                    terminal.output ? terminal.width : 0, &error);
    optimized_release(&optimized);
    return status == 0 ? PP_DONE : pp_print_error(&error);
}
