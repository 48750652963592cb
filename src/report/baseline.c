#include "report/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"

struct pp_change pp_change_of(const struct pp_figure *figure,
                              const struct pp_report *before,
                              const struct pp_report *after)
{
    struct pp_change change = {
        .figure = figure,
        .before = pp_figure_value(figure, before, -1),
        .after = pp_figure_value(figure, after, -1),
        .before_range = pp_figure_range(figure, before, -1),
        .after_range = pp_figure_range(figure, after, -1),
    };
    change.beyond_noise = change.before_range.high < change.after_range.low ||
                          change.after_range.high < change.before_range.low;
    return change;
}

static int set_tolerance(struct pp_tolerances *tolerances,
                         const struct pp_figure *figure, double amount, bool relative)
{
    int i = 0;
    while (i < tolerances->count && tolerances->items[i].figure != figure)
        i++;
    if (i == PP_MOST_TOLERANCES)
        return -1;
    tolerances->items[i].figure = figure;
    tolerances->items[i].amount = amount;
    tolerances->items[i].relative = relative;
    if (i == tolerances->count)
        tolerances->count++;
    return 0;
}

static int bad(const char *text, const char *at, const char *valid,
               struct pp_error *error)
{
    return pp_fail(error, PP_BAD_INPUT, "'--tolerance' '%s', column %d: %s", text,
                   (int)(at - text) + 1, valid);
}

int pp_tolerances_parse(struct pp_tolerances *tolerances, const char *text,
                        struct pp_error *error)
{
    const struct pp_figure *bubble = pp_figure_find("bubble", strlen("bubble"));
    const char *at = text;
    *tolerances = (struct pp_tolerances){0};
    set_tolerance(tolerances, bubble, 0.01, false);
    for (;;) {
        size_t length = strcspn(at, ","), name = strcspn(at, "=,");
        const char *number = name < length ? at + name + 1 : at;
        const struct pp_figure *figure =
            name < length ? pp_figure_find(at, name) : bubble;
        if (length == strlen("both") && strncmp(at, "both", length) == 0) {
            tolerances->both = true;
        } else {
            char *end, names[512], valid[640];
            double amount = strtod(number, &end);
            bool relative = *end == '%';
            if (!figure) {
                pp_figure_names(names, sizeof names);
                snprintf(valid, sizeof valid, "no such figure: there are %s", names);
                return bad(text, at, valid, error);
            }
            if (end == number || !(amount >= 0) || !isfinite(amount) ||
                end + relative != at + length)
                return bad(text, number, "want a number of at least 0, or one with '%'",
                           error);
            if (set_tolerance(tolerances, figure, relative ? amount / 100 : amount,
                              relative) != 0)
                return bad(text, at, "too many figures", error);
        }
        if (at[length] == '\0')
            return 0;
        at += length + 1;
    }
}

/* Options that say where output goes and what is made of the result. */
static const char *const not_compared[] = {"clock", /* environment.clock is */
                                           "json",
                                           "trace",
                                           "paje",
                                           "csv",
                                           "plot",
                                           "picture",
                                           "keep_data",
                                           "quiet",
                                           "color",
                                           "check",
                                           "baseline",
                                           "tolerance",
                                           "update_baseline",
                                           "force",
                                           "format",
                                           "timeline",
                                           "save",
                                           "save_grads",
                                           "verify",
                                           NULL};

static void note(char *keys, size_t size, const char *key)
{
    size_t used = strlen(keys);
    snprintf(keys + used, size - used, "%s'%s'", used > 0 ? ", " : "", key);
}

/* Does the option decide the result, and is it another in the other config? Null is
 * what an option that was not given is, or one that the other report does not know. */
static bool differs(const json_t *other, const char *key, const json_t *value)
{
    const json_t *found = json_object_get(other, key);
    return !pp_names_in(not_compared, key) && !(!found && json_is_null(value)) &&
           !json_equal(value, found);
}

int pp_baseline_comparable(const struct pp_report *baseline, const json_t *config,
                           const char *command, const char *clock, const char *path,
                           struct pp_error *error)
{
    char keys[512] = "";
    const char *key;
    json_t *value;
    if (strcmp(baseline->command, command) != 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--baseline' '%s' is of another command: 'command' is '%s', "
                       "here '%s'; make it anew with '--update-baseline'",
                       path, baseline->command, command);
    json_object_foreach((json_t *)config, key, value)
    {
        if (differs(baseline->config, key, value))
            note(keys, sizeof keys, key);
    }
    json_object_foreach(baseline->config, key, value)
    {
        if (!json_object_get(config, key) && differs(config, key, value))
            note(keys, sizeof keys, key);
    }
    if (clock && strcmp(baseline->environment.clock, clock) != 0)
        note(keys, sizeof keys, "environment.clock");
    if (keys[0] == '\0')
        return 0;
    return pp_fail(
        error, PP_BAD_INPUT,
        "'--baseline' '%s' is of another configuration: %s differ%s; make it "
        "anew with '--update-baseline'",
        path, keys, strchr(keys, ',') ? "" : "s");
}

void pp_baseline_judge(const struct pp_report *baseline, const struct pp_report *report,
                       const struct pp_tolerances *tolerances,
                       struct pp_verdict verdicts[PP_MOST_TOLERANCES])
{
    for (int i = 0; i < tolerances->count; i++) {
        const struct pp_figure *figure = tolerances->items[i].figure;
        struct pp_change change = pp_change_of(figure, baseline, report);
        struct pp_verdict *verdict = &verdicts[i];
        char before[PP_FIGURE_TEXT], after[PP_FIGURE_TEXT], most[PP_FIGURE_TEXT];
        char difference[PP_FIGURE_TEXT], steps[PP_RANGE_TEXT];
        double allowed = tolerances->items[i].amount;
        double worse = change.after - change.before;
        bool always = !tolerances->items[i].relative && allowed >= 1 &&
                      figure->unit == PP_FRACTION && !figure->above_one;
        bool ranges = change.before_range.low < change.before_range.high &&
                      change.after_range.low < change.after_range.high;
        if (tolerances->items[i].relative)
            allowed *= fabs(change.before);
        if (!figure->higher_worse)
            worse = -worse;
        *verdict = (struct pp_verdict){
            /* No comparison holds for NaN. */
            .passed = worse <= allowed && (!tolerances->both || worse >= -allowed),
        };
        snprintf(verdict->name, sizeof verdict->name, "baseline %s", figure->name);
        pp_figure_texts(figure, change.after, change.before, after, before);
        pp_figure_texts(figure, allowed, fabs(worse), most, difference);
        snprintf(verdict->finding, sizeof verdict->finding,
                 "%s is %s%s, the baseline's %s; may be %s %s%s", figure->name, after,
                 pp_range_text(figure, change.after_range, report->step_count, steps),
                 before, tolerances->both ? "off by" : "worse by", most,
                 always ? " (which always holds: it is a fraction of 1)"
                 : ranges && !change.beyond_noise ? " (the steps' ranges overlap)"
                                                  : "");
    }
}

static void print_change(const char *name, const struct pp_change *change,
                         bool markdown, FILE *stream)
{
    char before[PP_FIGURE_TEXT], after[PP_FIGURE_TEXT], percent[16] = "";
    const char *row =
        markdown ? "| %s | %s | %s | %s | %s |\n" : "  %-28s %14s %14s %9s  %s\n";
    double ratio = change->after / change->before;
    if (isfinite(ratio)) /* nothing is a percentage of 0 */
        snprintf(percent, sizeof percent, "%+.1f%%", 100 * (ratio - 1));
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
                         bool markdown, FILE *stream)
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
        if (!differs(before->config, key, value))
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
        snprintf(name, sizeof name, "stage %d, %c", b->stage, pp_kind_letter(b->kind));
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
                      bool markdown, FILE *stream)
{
    static const char *const times[] = {
        "makespan",   "bubble",        "over_ideal", "span",     "warmup",
        "dependency", "communication", "overhead",   "cooldown", NULL};
    static const char *const memory[] = {"peak_in_flight", "peak_activation_bytes",
                                         NULL};
    print_config(before, after, markdown, stream);
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
