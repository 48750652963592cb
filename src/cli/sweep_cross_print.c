/* Crossovers as text and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "cli/sweep_cross.h"
#include "report/export/json.h"
#include "report/print/table.h"

static const char *name_of(const struct pp_crossover *found, int better)
{
    return better < 0 ? "equal" : found->points[better]->schedule;
}

/* The column that the interval varies. */
static int varied(const struct pp_crossovers *crossovers, const struct pp_sweep *sweep)
{
    int column = 0;
    char own[PP_OPTION_KEY];
    const char *key = pp_option_key(crossovers->interval.option, own);
    while (strncmp(sweep->columns[column].name, key, strlen(key)) != 0)
        column++;
    return column;
}

/* "1f1b (v=1) and interleaved-1f1b (v=2), p=4, m=8, slow 0:2, by link latency" */
static void print_title(const struct pp_crossovers *crossovers,
                        const struct pp_sweep *sweep, const struct pp_crossover *found,
                        FILE *stream)
{
    const struct pp_sweep_point *a = found->points[0], *b = found->points[1];
    int column = varied(crossovers, sweep);
    fprintf(stream, "%s (v=%d) and %s (v=%d), p=%d", a->schedule, a->chunks,
            b->schedule, b->chunks, a->ranks);
    if (b->ranks != a->ranks)
        fprintf(stream, " and %d", b->ranks);
    fprintf(stream, ", m=%d", a->microbatches);
    if (b->microbatches != a->microbatches)
        fprintf(stream, " and %d", b->microbatches);
    for (int c = 0; c < sweep->column_count; c++) {
        const char *cell = pp_sweep_cell(sweep, a, c);
        cell = cell ? cell : pp_sweep_cell(sweep, b, c);
        if (c != column && cell)
            fprintf(stream, ", %s %s", sweep->columns[c].label, cell);
    }
    fprintf(stream, ", by %s\n", sweep->columns[column].label);
}

static int print_segments(const struct pp_crossovers *crossovers,
                          const struct pp_crossover *found, FILE *stream,
                          struct pp_error *error)
{
    enum { FROM, FASTER, FIGURES, COLUMNS = FIGURES + 4 };
    struct pp_table table;
    char number[PP_INTERVAL_TEXT];
    if (pp_table_init(&table, found->count, COLUMNS, error) != 0)
        return -1;
    pp_table_set(&table, -1, FROM, "from");
    pp_table_set(&table, -1, FASTER, "faster");
    for (int s = 0; s < 2; s++) {
        pp_table_set(&table, -1, FIGURES + 2 * s, "%s ms", name_of(found, s));
        pp_table_set(&table, -1, FIGURES + 2 * s + 1, "bubble");
    }
    for (int i = 0; i < found->count; i++) {
        const struct pp_cross *segment = &found->segments[i];
        pp_table_set(&table, i, FROM, "%s",
                     pp_interval_number(&crossovers->interval, segment->at, number));
        pp_table_set(&table, i, FASTER, "%s", name_of(found, segment->better));
        for (int s = 0; s < 2; s++) {
            pp_table_set(&table, i, FIGURES + 2 * s, "%.6f",
                         segment->makespan_s[s] * 1e3);
            pp_table_set(&table, i, FIGURES + 2 * s + 1, "%.4f", segment->bubble[s]);
        }
    }
    pp_table_print(&table, stream, 2, 0);
    pp_table_release(&table);
    return 0;
}

int pp_crossovers_print(const struct pp_crossovers *crossovers,
                        const struct pp_sweep *sweep, FILE *stream,
                        struct pp_error *error)
{
    const struct pp_interval *interval = &crossovers->interval;
    char from[PP_INTERVAL_TEXT], to[PP_INTERVAL_TEXT];
    pp_interval_number(interval, interval->from.number, from);
    pp_interval_number(interval, interval->to, to);
    for (int i = 0; i < crossovers->count; i++) {
        const struct pp_crossover *found = &crossovers->items[i];
        if (i > 0)
            fputc('\n', stream);
        print_title(crossovers, sweep, found, stream);
        if (found->reason) {
            fprintf(stream, "  not comparable: %s\n", found->reason);
            continue;
        }
        if (print_segments(crossovers, found, stream, error) != 0)
            return -1;
        if (found->count == 1 && found->segments[0].better < 0)
            fprintf(stream, "  no crossover: equally fast from %s to %s\n", from, to);
        else if (found->count == 1)
            fprintf(stream, "  no crossover: %s is faster from %s to %s\n",
                    name_of(found, found->segments[0].better), from, to);
    }
    return 0;
}

static json_t *pair(const double values[2])
{
    return json_pack("[f, f]", values[0], values[1]);
}

static json_t *segments_json(const struct pp_crossovers *crossovers,
                             const struct pp_crossover *found)
{
    json_t *segments = json_array();
    char number[PP_INTERVAL_TEXT];
    for (int i = 0; i < found->count; i++) {
        const struct pp_cross *segment = &found->segments[i];
        pp_json_append(
            &segments,
            json_pack("{s:s, s:o, s:o, s:o}", "from",
                      pp_interval_number(&crossovers->interval, segment->at, number),
                      "faster",
                      segment->better < 0
                          ? json_null()
                          : pp_json_text(name_of(found, segment->better)),
                      "makespan_s", pair(segment->makespan_s), "bubble",
                      pair(segment->bubble)));
    }
    return segments;
}

json_t *pp_crossovers_json(const struct pp_crossovers *crossovers,
                           const struct pp_sweep *sweep)
{
    json_t *list = json_array();
    char to[PP_INTERVAL_TEXT];
    if (!crossovers->items)
        return list;
    int column = varied(crossovers, sweep);
    pp_interval_number(&crossovers->interval, crossovers->interval.to, to);
    for (int i = 0; i < crossovers->count; i++) {
        const struct pp_crossover *found = &crossovers->items[i];
        const struct pp_sweep_point *a = found->points[0], *b = found->points[1];
        json_t *values = json_object();
        for (int c = 0; c < sweep->column_count; c++) {
            const char *cell = pp_sweep_cell(sweep, a, c);
            cell = cell ? cell : pp_sweep_cell(sweep, b, c);
            if (c != column)
                pp_json_set(&values, sweep->columns[c].name, pp_json_text(cell));
        }
        pp_json_append(
            &list,
            json_pack(
                "{s:[o, o], s:[i, i], s:[i, i], s:[i, i], s:o, s:s, s:s, s:o, s:o}",
                "schedules", pp_json_text(a->schedule), pp_json_text(b->schedule),
                "ranks", a->ranks, b->ranks, "chunks", a->chunks, b->chunks,
                "microbatches", a->microbatches, b->microbatches, "values", values,
                "quantity", sweep->columns[column].name, "to", to, "reason",
                pp_json_text(found->reason), "segments",
                segments_json(crossovers, found)));
    }
    return list;
}
