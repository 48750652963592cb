#include "report/gate/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "report/gate/change.h"

static void print_change(const char *name, const struct pp_change *change,
                         bool markdown, FILE *stream)
{
    char before[PP_FIGURE_TEXT], after[PP_FIGURE_TEXT], percent[16] = "";
    const char *row =
        markdown ? "| %s | %s | %s | %s | %s |\n" : "  %-28s %14s %14s %9s  %s\n";
    double ratio = change->after / change->before;
    if (isfinite(ratio)) /* no percentage of 0 */
        pp_assign(percent, sizeof percent, "%+.1f%%", 100 * (ratio - 1));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    fprintf(stream, row, name, pp_figure_text(change->figure, change->before, before),
            pp_figure_text(change->figure, change->after, after), percent,
            isnan(change->before + change->after) ? "unknown"
            : change->before == change->after     ? "same"
            : change->beyond_noise                ? "changed"
                                                  : "within noise");
#pragma GCC diagnostic pop
}

/* The options in which the two differ. */
static void print_config(const struct pp_report *before, const struct pp_report *after,
                         pp_decides *decides, bool markdown, FILE *stream)
{
    const char *key;
    json_t *value;
    int differing = 0;
    if (strcmp(before->environment.clock, after->environment.clock) != 0) {
        fprintf(stream, markdown ? "- clock: `%s` -> `%s`\n" : "  clock: %s -> %s\n",
                before->environment.clock, after->environment.clock);
        differing++;
    }
    json_object_foreach(after->config, key, value)
    {
        const json_t *other = json_object_get(before->config, key);
        if (!pp_config_differs(before->config, key, value, decides))
            continue;
        char *was = other ? json_dumps(other, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        char *is = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        fprintf(stream, markdown ? "- %s: `%s` -> `%s`\n" : "  %s: %s -> %s\n", key,
                was ? was : "unknown", is ? is : "unknown");
        free(was);
        free(is);
        differing++;
    }
    if (differing > 0)
        fputc('\n', stream);
}

/* What the ops of a stage and kind took: the 5th to 95th percentile is their range. */
static int print_costs(const struct pp_report *before, const struct pp_report *after,
                       bool markdown, FILE *stream)
{
    const struct pp_figure *time = pp_figure_find("makespan", strlen("makespan"));
    int changed = 0;
    for (int i = 0; i < after->cost_count; i++) {
        const struct pp_cost *b = &after->costs[i], *a = before->costs;
        int k = 0;
        while (k < before->cost_count &&
               (a[k].stage != b->stage || a[k].kind != b->kind))
            k++;
        if (k == before->cost_count)
            continue;
        a += k;
        struct pp_change change = {
            .figure = time,
            .before = (double)a->median / 1e9,
            .after = (double)b->median / 1e9,
            .beyond_noise = a->p95 < b->p5 || b->p95 < a->p5,
        };
        char name[64];
        pp_assign(name, sizeof name, "stage %d, %c", b->stage, pp_kind_letter(b->kind));
        if (change.beyond_noise)
            print_change(name, &change, markdown, stream);
        changed += change.beyond_noise;
    }
    return changed;
}

/* Prints the figures of these names; returns how many changed beyond noise. Those after
 * the first `own` are parts or other counts of the bubble: as noisy as it is. */
static int print_figures(const char *const *names, int own,
                         const struct pp_report *before, const struct pp_report *after,
                         bool markdown, FILE *stream)
{
    const struct pp_figure *bubble = pp_figure_find("bubble", strlen("bubble"));
    bool bubble_changed = pp_change_of(bubble, before, after).beyond_noise;
    int changed = 0;
    for (int i = 0; names[i]; i++) {
        const struct pp_figure *figure = pp_figure_find(names[i], strlen(names[i]));
        struct pp_change change = pp_change_of(figure, before, after);
        if (isnan(change.before) && isnan(change.after))
            continue;
        change.beyond_noise &= i < own || bubble_changed;
        print_change(names[i], &change, markdown, stream);
        changed += change.beyond_noise;
    }
    return changed;
}

void pp_compare_print(const struct pp_report *before, const struct pp_report *after,
                      pp_decides *decides, bool markdown, FILE *stream)
{
    static const char *const times[] = {
        "makespan",   "bubble",        "over_ideal", "span",     "warmup",
        "dependency", "communication", "overhead",   "cooldown", NULL};
    static const char *const memory[] = {"peak_in_flight", "peak_activation_bytes",
                                         NULL};
    print_config(before, after, decides, markdown, stream);
    if (markdown)
        fputs("| figure | before | after | change | |\n|---|---|---|---|---|\n",
              stream);
    else
        fprintf(stream, "  %-28s %14s %14s %9s\n", "", "before", "after", "change");
    int slower = print_figures(times, 2, before, after, markdown, stream);
    int larger = print_figures(memory, 2, before, after, markdown, stream);
    slower += print_costs(before, after, markdown, stream);
    if (slower == 0)
        fprintf(stream, "%sno difference%s beyond noise\n", markdown ? "\n" : "",
                larger > 0 ? " in time" : "");
}
