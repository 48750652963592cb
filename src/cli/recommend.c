/* ppsim recommend: which schedules fit given costs and memory, and why others do not.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "base/wrap.h"
#include "cli/command.h"
#include "cli/optimize.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "report/export/json.h"
#include "version.h"

/* Stages per rank that are tried where --chunks does not say. */
enum { MOST_CHUNKS = 4 };

/* A row of the catalogue that is not recommended. */
struct other {
    const char *name;
    char why[512];
};

struct recommended {
    struct pp_memory_asked memory;
    enum pp_objective objective;
    struct pp_entries rows; /* that fit, the best first */
    struct other *others;   /* [other_count] owned */
    int other_count;
};

/* What is known of a row after some of its shapes. */
struct row_state {
    struct pp_entry best; /* of the shapes that fit */
    bool fits;
    double least;  /* memory of those that do not; INFINITY: there is none */
    char why[512]; /* of the first shape that cannot work; empty: there is none */
};

/* Measures the row with so many stages per rank. PP_BAD_INPUT: it cannot work so. */
static int measure(struct pp_entry *entry, const struct pp_scheduler *row, int chunks,
                   const struct recommended *all, const struct pp_options *options,
                   struct pp_error *error)
{
    const struct pp_try what = {.chunks = chunks, .placement = row->placement};
    struct pp_shape shape = {options->ranks, chunks, options->microbatches, 0};
    struct pp_schedule schedule = {0};
    struct pp_tried tried = {0};
    int status = pp_schedule_build(&schedule, row, &shape, error);
    if (status == 0)
        status = pp_tried_init(&tried, &what, options, &all->memory, error);
    if (status == 0)
        status = pp_entry_measure(entry, &schedule, &tried, all->objective, error);
    pp_tried_release(&tried);
    pp_schedule_release(&schedule);
    return status;
}

static int try_chunks(struct row_state *state, const struct pp_scheduler *row,
                      int chunks, const struct recommended *all,
                      const struct pp_options *options, struct pp_error *error)
{
    struct pp_error problem = {0};
    struct pp_entry entry;
    if (measure(&entry, row, chunks, all, options, &problem) != 0) {
        if (!state->why[0])
            pp_assign(state->why, sizeof state->why, "%.*s",
                      (int)strcspn(problem.text, "\n"), problem.text);
        if (problem.status != PP_BAD_INPUT)
            *error = problem;
        return problem.status == PP_BAD_INPUT ? 0 : -1;
    }
    if (!pp_memory_fits(entry.memory, all->memory.limit)) {
        state->least = fmin(state->least, entry.memory);
    } else if (!state->fits || entry.objective < state->best.objective) {
        state->best = entry;
        state->fits = true;
    }
    return 0;
}

/* Every number of stages per rank that the row takes and the options allow. */
static int try_row(struct row_state *state, const struct pp_scheduler *row,
                   const struct recommended *all, const struct pp_options *options,
                   struct pp_error *error)
{
    const char *own = pp_placement_name(row->placement);
    int from = row->default_chunks, to = row->takes_chunks ? MOST_CHUNKS : from;
    int asked = options->chunks;
    *state = (struct row_state){.least = INFINITY};
    if (asked && !row->takes_chunks && asked != from) {
        pp_assign(state->why, sizeof state->why, "has %d stage%s per rank", from,
                  from == 1 ? "" : "s");
        return 0;
    }
    if (options->placement && strcmp(options->placement, own) != 0) {
        pp_assign(state->why, sizeof state->why, "needs placement %s", own);
        return 0;
    }
    for (int v = asked ? asked : from; v <= (asked ? asked : to); v++) {
        if (try_chunks(state, row, v, all, options, error) != 0)
            return -1;
    }
    return 0;
}

static void add_other(struct recommended *all, const struct pp_scheduler *row,
                      const struct row_state *state)
{
    struct other *other = &all->others[all->other_count++];
    char held[PP_AMOUNT_TEXT];
    other->name = row->name;
    if (isfinite(state->least))
        pp_assign(other->why, sizeof other->why, "holds %s at least",
                  pp_amount_text(&all->memory, state->least, held));
    else
        pp_assign(other->why, sizeof other->why, "%s", state->why);
}

static int by_objective(const void *a, const void *b)
{
    const struct pp_entry *x = a, *y = b;
    if (x->objective != y->objective)
        return x->objective < y->objective ? -1 : 1;
    return x->tried - y->tried;
}

static int recommend(struct recommended *all, const struct pp_options *options,
                     struct pp_error *error)
{
    int rows = pp_catalogue_count();
    all->rows.items = calloc((size_t)rows, sizeof *all->rows.items);
    all->others = calloc((size_t)rows, sizeof *all->others);
    if (!all->rows.items || !all->others)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d schedules", rows);
    for (int k = 0; k < rows; k++) {
        const struct pp_scheduler *row = pp_catalogue_row(k);
        struct row_state state;
        if (pp_row_decodes(row))
            continue;
        if (try_row(&state, row, all, options, error) != 0)
            return -1;
        state.best.tried = k; /* equally good ones stay in the catalogue's order */
        if (state.fits)
            all->rows.items[all->rows.count++] = state.best;
        else
            add_other(all, row, &state);
    }
    if (all->rows.count == 0)
        return pp_fail(error, PP_BAD_INPUT, "no schedule fits: %s: %s",
                       all->others[0].name, all->others[0].why);
    qsort(all->rows.items, (size_t)all->rows.count, sizeof *all->rows.items,
          by_objective);
    return 0;
}

static int print(const struct recommended *all, const struct pp_options *options,
                 FILE *stream, int width, struct pp_error *error)
{
    pp_memory_headline("recommend", &all->memory, options, stream);
    if (pp_entries_print(&all->rows, &all->memory, stream, width, error) != 0)
        return -1;
    if (all->other_count > 0)
        fputs("\nnot recommended:\n", stream);
    for (int k = 0; k < all->other_count; k++) {
        int column = fprintf(stream, "    %s:", all->others[k].name);
        pp_print_wrapped(stream, all->others[k].why, column, 6, false);
    }
    return 0;
}

static int write_json(const struct recommended *all, const struct pp_options *options,
                      struct pp_error *error)
{
    json_t *rows = json_array(), *others = json_array();
    for (int k = 0; k < all->rows.count; k++)
        json_array_append_new(rows, pp_entry_json(&all->rows.items[k]));
    for (int k = 0; k < all->other_count; k++)
        json_array_append_new(others,
                              json_pack("{s:s, s:o}", "schedule", all->others[k].name,
                                        "why", pp_json_text(all->others[k].why)));
    json_t *root = json_pack(
        "{s:s, s:s, s:o, s:s, s:o, s:o, s:o}", "schema", "ppsim.recommend/1", "version",
        PP_VERSION, "config", pp_options_config(options), "objective",
        all->objective == PP_LEAST_SPAN ? "span" : "makespan", "memory",
        pp_memory_json(&all->memory), "rows", rows, "others", others);
    return pp_result_write(root, options->json, error);
}

int pp_command_recommend(struct pp_options *options)
{
    struct pp_terminal terminal = pp_terminal_detect(false);
    struct pp_error error = {0};
    struct recommended all = {.objective = (enum pp_objective)options->objective};
    options->ranks = options->ranks ? options->ranks : PP_DEFAULT_RANKS;
    options->microbatches =
        options->microbatches ? options->microbatches : PP_DEFAULT_MICROBATCHES;
    int status = pp_output_paths_check(options, &error);
    if (status == 0)
        status = pp_memory_asked_init(&all.memory, options, &error);
    if (status == 0)
        status = recommend(&all, options, &error);
    if (status == 0 && options->json)
        status = write_json(&all, options, &error);
    if (status == 0 && options->plot)
        status = pp_entries_plot(&all.rows, &all.memory, all.objective, NULL, options,
                                 &error);
    if (status == 0 && !options->quiet)
        status = print(&all, options, pp_text_stream(options),
                       terminal.output ? terminal.width : 0, &error);
    pp_entries_release(&all.rows);
    free(all.others);
    return status == 0 ? PP_DONE : pp_print_error(&error);
}
