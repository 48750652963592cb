#include <string.h>

#include "base/words.h"
#include "cli/optimize.h"
#include "report/numbers.h"
#include "report/print/table.h"

enum { NAME, CHUNKS, PLACEMENT, SPAN, BUBBLE, MAKESPAN, MEMORY, COLUMNS };

static void print_head(const struct pp_optimized *optimized,
                       const struct pp_options *options, FILE *stream)
{
    const struct pp_schedule *schedule = &optimized->schedule;
    char limit[PP_AMOUNT_TEXT], headline[512];
    fprintf(
        stream, "optimize: %d ranks, %d microbatches, at most %s held on a rank%s%s",
        schedule->ranks, schedule->microbatches,
        pp_amount_text(&optimized->memory, optimized->memory.limit, limit),
        options->memory ? ", --memory " : "", options->memory ? options->memory : "");
    pp_options_headline(options, headline, sizeof headline);
    if (options->cost)
        fprintf(stream, ", --cost %s", options->cost);
    fprintf(stream, "%s%s\n\n", headline[0] ? ", " : "", headline);
}

static void fill_row(struct pp_table *table, int row, const struct pp_entry *entry,
                     const struct pp_optimized *optimized)
{
    const struct pp_schedule *shape = &optimized->tried[entry->tried]->plan.schedule;
    char text[PP_DURATION_TEXT], memory[PP_AMOUNT_TEXT];
    pp_table_set(table, row, CHUNKS, "%d", shape->chunks);
    if (shape->chunks > 1)
        pp_table_set(table, row, PLACEMENT, "%s", pp_placement_name(shape->placement));
    pp_table_set(table, row, SPAN, "%.4f", entry->bubble.span_fraction);
    pp_table_set(table, row, BUBBLE, "%.4f", entry->bubble.fraction);
    pp_table_set(table, row, MAKESPAN, "%s",
                 pp_duration_text((double)entry->makespan, text));
    pp_table_set(table, row, MEMORY, "%s",
                 pp_amount_text(&optimized->memory, entry->memory, memory));
}

static int print_table(const struct pp_optimized *optimized, FILE *stream, int width,
                       struct pp_error *error)
{
    static const char *const header[COLUMNS] = {
        "schedule", "chunks",   "placement", "span_fraction",
        "fraction", "makespan", "memory"};
    struct pp_table table;
    const struct pp_entries *rows = &optimized->rows;
    if (pp_table_init(&table, rows->count + 1, COLUMNS, error) != 0)
        return -1;
    for (int c = 0; c < COLUMNS; c++)
        pp_table_set(&table, -1, c, "%s", header[c]);
    pp_table_set(&table, 0, NAME, "%s",
                 strcmp(optimized->found.name, "found") == 0 ? "found"
                                                             : "found: as below");
    fill_row(&table, 0, &optimized->found, optimized);
    for (int k = 0; k < rows->count; k++) {
        pp_table_set(&table, k + 1, NAME, "%s", rows->items[k].name);
        fill_row(&table, k + 1, &rows->items[k], optimized);
    }
    pp_table_print(&table, stream, 4, width);
    pp_table_release(&table);
    return 0;
}

static void print_bound(const struct pp_optimized *optimized, FILE *stream)
{
    char text[PP_DURATION_TEXT];
    bool by_span = optimized->objective == PP_LEAST_SPAN;
    double gap = pp_bound_gap(optimized);
    fprintf(stream, "\nbound: no order %s has a %s below %s, %s %.4f: ",
            optimized->count == 1 ? "of this shape" : "of the shapes that were tried",
            by_span ? "span" : "makespan",
            pp_duration_text((double)optimized->bound, text),
            by_span ? "span_fraction" : "fraction", pp_bound_bubble(optimized));
    if (gap <= 1e-6)
        fputs("what was found is optimal\n", stream);
    else
        fprintf(stream, "what was found is %.2g %% above it\n", 100 * gap);
}

int pp_optimized_print(const struct pp_optimized *optimized,
                       const struct pp_options *options, FILE *stream, int width,
                       struct pp_error *error)
{
    char split[4096], seconds[PP_DURATION_TEXT];
    print_head(optimized, options, stream);
    if (print_table(optimized, stream, width, error) != 0)
        return -1;
    print_bound(optimized, stream);
    pp_tried_split(optimized->tried[optimized->found.tried], split, sizeof split);
    if (split[0])
        fprintf(stream, "layers of each stage: --layer-split %s\n", split);
    fprintf(stream, "%lld candidates tried", (long long)optimized->iterations);
    if (options->iterations == 0)
        fprintf(stream, " in %s", pp_duration_text(1e9 * optimized->seconds, seconds));
    fputs("\n", stream);
    if (options->save)
        fprintf(stream, "saved as %s\n", options->save);
    return 0;
}
