#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "cli/optimize.h"
#include "report/numbers.h"

/* What was found, above the rows. */
static int print_table(const struct pp_optimized *optimized, FILE *stream, int width,
                       struct pp_error *error)
{
    const struct pp_entries *rows = &optimized->rows;
    struct pp_entries all = {.count = rows->count + 1};
    all.items = calloc((size_t)all.count, sizeof *all.items);
    if (!all.items)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d schedules",
                       all.count);
    all.items[0] = optimized->found;
    if (strcmp(optimized->found.name, "found") != 0)
        pp_assign(all.items[0].name, sizeof all.items[0].name, "found: as below");
    for (int k = 0; k < rows->count; k++)
        all.items[k + 1] = rows->items[k];
    int status = pp_entries_print(&all, &optimized->memory, stream, width, error);
    free(all.items);
    return status;
}

static void print_bound(const struct pp_optimized *optimized, FILE *stream)
{
    char text[PP_DURATION_TEXT];
    bool by_span = optimized->objective == PP_LEAST_SPAN;
    double gap = pp_bound_gap(optimized);
    bool overlap = pp_pairs_overlap(optimized);
    fprintf(stream, "\nbound: no order %s%s has a %s below %s",
            optimized->count == 1 ? "of this shape" : "of the shapes that were tried",
            overlap ? ", without overlapped pairs," : "", by_span ? "span" : "makespan",
            pp_duration_text((double)optimized->bound, text));
    if (!overlap) /* or the busy time differs */
        fprintf(stream, ", %s %.4f", by_span ? "span_fraction" : "fraction",
                fmax(0, pp_bound_bubble(optimized)));
    fputs(": ", stream);
    if (overlap && gap < 0)
        fprintf(stream, "what was found is %.3g %% below it\n", -100 * gap);
    else if (gap <= 0)
        fputs("what was found is optimal\n", stream);
    else if (gap < 1e-5)
        fputs("what was found is optimal but for roundings\n", stream);
    else
        fprintf(stream, "what was found is %.3g %% above it\n", 100 * gap);
}

int pp_optimized_print(const struct pp_optimized *optimized,
                       const struct pp_options *options, FILE *stream, int width,
                       struct pp_error *error)
{
    char split[4096], seconds[PP_DURATION_TEXT];
    pp_memory_headline("optimize", &optimized->memory, options, stream);
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
