/* Schedules beside each other, as text and as JSON. */
#include <math.h>

#include "base/output.h"
#include "cli/optimize.h"
#include "report/export/json.h"
#include "report/numbers.h"
#include "report/print/table.h"

enum { NAME, CHUNKS, PLACEMENT, COPIES, SPAN, BUBBLE, MAKESPAN, MEMORY, COLUMNS };

void pp_memory_headline(const char *command, const struct pp_memory_asked *memory,
                        const struct pp_options *options, FILE *stream)
{
    char limit[PP_AMOUNT_TEXT], headline[512];
    fprintf(stream, "%s: %d rank%s, %d microbatch%s", command, options->ranks,
            options->ranks == 1 ? "" : "s", options->microbatches,
            options->microbatches == 1 ? "" : "es");
    if (isfinite(memory->limit))
        fprintf(stream, ", at most %s held on a rank",
                pp_amount_text(memory, memory->limit, limit));
    if (options->cost)
        fprintf(stream, ", --cost %s", options->cost);
    pp_options_headline(options, headline, sizeof headline);
    fprintf(stream, "%s%s\n\n", headline[0] ? ", " : "", headline);
}

static const char *placement_of(const struct pp_entry *entry)
{
    bool says = entry->chunks > 1 || entry->copies > 1; /* they differ in something */
    return says ? pp_placement_name(entry->placement) : NULL;
}

static void fill_row(struct pp_table *table, int row, const struct pp_entry *entry,
                     const struct pp_memory_asked *memory)
{
    char text[PP_DURATION_TEXT], held[PP_AMOUNT_TEXT];
    pp_table_set(table, row, NAME, "%s", entry->name);
    pp_table_set(table, row, CHUNKS, "%d", entry->chunks);
    if (placement_of(entry))
        pp_table_set(table, row, PLACEMENT, "%s", placement_of(entry));
    if (entry->copies > 1)
        pp_table_set(table, row, COPIES, "%d", entry->copies);
    pp_table_set(table, row, SPAN, "%.4f", entry->bubble.span_fraction);
    pp_table_set(table, row, BUBBLE, "%.4f", entry->bubble.fraction);
    pp_table_set(table, row, MAKESPAN, "%s",
                 pp_duration_text((double)entry->makespan, text));
    pp_table_set(table, row, MEMORY, "%s", pp_amount_text(memory, entry->memory, held));
}

int pp_entries_print(const struct pp_entries *entries,
                     const struct pp_memory_asked *memory, FILE *stream, int width,
                     struct pp_error *error)
{
    static const char *const header[COLUMNS] = {
        "schedule",      "chunks",   "placement", "weight copies",
        "span_fraction", "fraction", "makespan",  "memory"};
    struct pp_table table;
    if (pp_table_init(&table, entries->count, COLUMNS, error) != 0)
        return -1;
    for (int c = 0; c < COLUMNS; c++)
        pp_table_set(&table, -1, c, "%s", header[c]);
    for (int k = 0; k < entries->count; k++)
        fill_row(&table, k, &entries->items[k], memory);
    pp_table_print(&table, stream, 4, width);
    pp_table_release(&table);
    return 0;
}

json_t *pp_entry_json(const struct pp_entry *entry)
{
    const struct pp_bubble *bubble = &entry->bubble;
    return json_pack(
        "{s:o, s:i, s:o, s:i, s:{s:f, s:f, s:f}, s:f, s:f, s:f}", "schedule",
        pp_json_text(entry->name), "chunks", entry->chunks, "placement",
        pp_json_text(placement_of(entry)), "weight_copies", entry->copies, "bubble",
        "fraction", bubble->fraction, "over_ideal", bubble->over_ideal, "span_fraction",
        bubble->span_fraction, "makespan_s", 1e-9 * (double)entry->makespan, "span_s",
        1e-9 * (double)entry->span, "peak_memory", entry->memory);
}

json_t *pp_memory_json(const struct pp_memory_asked *memory)
{
    bool told = !memory->of_model;
    return json_pack("{s:s, s:o, s:o, s:o}", "unit", memory->bytes ? "bytes" : "plain",
                     "f", told ? json_real(memory->rank.forward) : json_null(), "w",
                     told ? json_real(memory->rank.weight) : json_null(), "limit",
                     isfinite(memory->limit) ? json_real(memory->limit) : json_null());
}

int pp_result_write(json_t *root, const char *path, struct pp_error *error)
{
    struct pp_output output;
    int status = root ? pp_output_open(&output, path, error)
                      : pp_fail(error, PP_ENVIRONMENT, "out of memory for the result");
    if (status == 0 && json_dumpf(root, output.stream,
                                  JSON_INDENT(1) | JSON_REAL_PRECISION(17)) != 0) {
        status = pp_fail(error, PP_ENVIRONMENT, "cannot write '%s'", path);
        pp_output_abandon(&output);
    } else if (status == 0) {
        fputc('\n', output.stream);
        status = pp_output_commit(&output, error);
    }
    json_decref(root);
    return status;
}
