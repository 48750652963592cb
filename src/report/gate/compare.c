#include "report/gate/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"
#include "report/differences.h"
#include "report/gate/change.h"
#include "report/gate/where.h"
#include "timeline/shift.h"

/* The share of comparisons of equals in which something is claimed to differ: a third
 * for the makespan, the bubble, and the costs of all ops. */
static const double claim_level = 0.01 / 3;

enum found { UNKNOWN, SAME, CHANGED, WITHIN_NOISE, TOO_FEW };

struct row {
    const char *name;
    const struct pp_figure *figure; /* of which before and after are told */
    double before, after;
    const struct pp_shift *shift; /* NULL: not tested, or exact */
    enum found found;
};

/* What the printing works on. */
struct comparison {
    const struct pp_report *before, *after;
    bool exact;     /* neither has noise */
    bool one_shape; /* ranks, stages and microbatches are the same */
    bool markdown;
    FILE *stream;
    struct pp_shift makespan, bubble;
};

static const struct pp_figure *figure_named(const char *name)
{
    return pp_figure_find(name, strlen(name));
}

/* "+6.8% (+5.1 to +8.4)" */
static void change_text(const struct row *row, char *text, size_t size)
{
    double percent = 100 / row->before;
    const struct pp_shift *shift = row->shift;
    text[0] = '\0';
    if (!isfinite((row->after - row->before) * percent))
        return; /* no percentage of 0 */
    if (!shift)
        pp_assign(text, size, "%+.1f%%", (row->after - row->before) * percent);
    else if (!shift->enough)
        pp_assign(text, size, "%+.1f%%", shift->shift * percent);
    else
        pp_assign(text, size, "%+.1f%% (%+.1f to %+.1f)", shift->shift * percent,
                  shift->low * percent, shift->high * percent);
}

static void print_row(const struct comparison *comparison, const struct row *row)
{
    static const char *const words[] = {[UNKNOWN] = "unknown",
                                        [SAME] = "same",
                                        [CHANGED] = "changed",
                                        [WITHIN_NOISE] = "within noise",
                                        [TOO_FEW] = "too few steps to tell"};
    char before[PP_FIGURE_TEXT], after[PP_FIGURE_TEXT], change[64];
    change_text(row, change, sizeof change);
    fprintf(comparison->stream,
            comparison->markdown ? "| %s | %s | %s | %s | %s |\n"
                                 : "  %-25s %13s %13s  %-22s %s\n",
            row->name, pp_figure_text(row->figure, row->before, before),
            pp_figure_text(row->figure, row->after, after), change, words[row->found]);
}

/* The options in which the two differ. -1 when out of memory. */
static int print_config(const struct pp_report *before, const struct pp_report *after,
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
        char *was = other ? pp_json_dump(other, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        char *is = pp_json_dump(value, JSON_ENCODE_ANY | JSON_COMPACT);
        bool known = is && (was || !other);
        if (known)
            fprintf(stream, markdown ? "- %s: `%s` -> `%s`\n" : "  %s: %s -> %s\n", key,
                    was ? was : "unknown", is);
        free(was);
        free(is);
        if (!known)
            return -1;
        differing++;
    }
    if (differing > 0)
        fputc('\n', stream);
    return 0;
}

/* Does every step take the same? */
static bool is_exact(const struct pp_report *report)
{
    const json_t *jitter = json_object_get(report->config, "jitter");
    return strcmp(report->command, "simulate") == 0 &&
           (!jitter || json_is_null(jitter));
}

static double makespan_of(const struct pp_step *step)
{
    return (double)step->makespan / 1e9;
}

static double bubble_of(const struct pp_step *step)
{
    return step->bubble;
}

/* The steps' values of a report; returns how many are finite. */
static int gather(const struct pp_report *report, double (*of)(const struct pp_step *),
                  double *values)
{
    int count = 0;
    for (int i = 0; i < report->step_count; i++) {
        double value = of(&report->steps[i]);
        if (isfinite(value))
            values[count++] = value;
    }
    return count;
}

static int test_steps(const struct comparison *comparison,
                      double (*of)(const struct pp_step *), struct pp_shift *shift,
                      struct pp_error *error)
{
    const struct pp_report *before = comparison->before, *after = comparison->after;
    size_t most = (size_t)before->step_count + (size_t)after->step_count;
    double *values = malloc((most + 1) * sizeof *values);
    if (!values)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu steps", most);
    int n = gather(before, of, values), m = gather(after, of, values + n), result = 0;
    *shift = (struct pp_shift){.inflation = 1};
    if (n > 0 && m > 0)
        result = pp_shift_of(values, n, values + n, m, claim_level, shift, error);
    free(values);
    return result;
}

static enum found found_by(const struct comparison *comparison, double before,
                           double after, const struct pp_shift *shift)
{
    if (isnan(before + after))
        return UNKNOWN;
    if (shift && !comparison->exact)
        return !shift->enough    ? TOO_FEW
               : shift->claimed  ? CHANGED
               : before == after ? SAME
                                 : WITHIN_NOISE;
    return before == after ? SAME : CHANGED;
}

/* Prints what was tested, as a value of this figure. Returns whether it changed. */
static bool print_tested(const struct comparison *comparison, const char *name,
                         const struct pp_figure *figure, double before, double after,
                         const struct pp_shift *shift)
{
    struct row row = {name,
                      figure,
                      before,
                      after,
                      comparison->exact ? NULL : shift,
                      found_by(comparison, before, after, shift)};
    print_row(comparison, &row);
    return row.found == CHANGED;
}

/* Prints the figures of these names, as sure as the shift is that they hang on; NULL:
 * as they are. Returns how many changed. */
static int print_figures(const struct comparison *comparison, const char *const *names,
                         const struct pp_shift *shift)
{
    int changed = 0;
    for (int i = 0; names[i]; i++) {
        const struct pp_figure *figure = figure_named(names[i]);
        double before = pp_figure_value(figure, comparison->before, -1);
        double after = pp_figure_value(figure, comparison->after, -1);
        if (isnan(before) && isnan(after))
            continue;
        struct row row = {names[i], figure, before, after, NULL, SAME};
        if (!(before == after))
            row.found = found_by(comparison, before, after, shift);
        print_row(comparison, &row);
        changed += row.found == CHANGED;
    }
    return changed;
}

/* Prints the ranks whose figures of these names changed, which the largest of all
 * ranks need not show. Returns how many. */
static int print_ranks(const struct comparison *comparison, const char *const *names)
{
    int changed = 0;
    for (int i = 0; names[i] && comparison->one_shape; i++) {
        const struct pp_figure *figure = figure_named(names[i]);
        for (int r = 0; r < comparison->after->schedule.ranks; r++) {
            double before = pp_figure_value(figure, comparison->before, r);
            double after = pp_figure_value(figure, comparison->after, r);
            char name[PP_FIGURE_NAME];
            struct row row = {
                pp_figure_name(figure, r, name),          figure, before, after, NULL,
                found_by(comparison, before, after, NULL)};
            if (row.found != CHANGED)
                continue;
            print_row(comparison, &row);
            changed++;
        }
    }
    return changed;
}

/* Prints from where on ops are in another order; returns whether they are. */
static bool print_order(const struct comparison *comparison)
{
    char text[256];
    if (!comparison->one_shape ||
        pp_where_reordered(comparison->before, comparison->after, "in the first report",
                           text, sizeof text) < 0)
        return false;
    fprintf(comparison->stream, "%s%s\n", comparison->markdown ? "\n" : "", text);
    return true;
}

static const struct pp_cost *cost_of(const struct pp_report *report,
                                     const struct pp_cost *like)
{
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        if (cost->stage == like->stage && cost->kind == like->kind &&
            pp_same_class(&cost->of_class, &like->of_class))
            return cost;
    }
    return NULL;
}

static struct pp_spread spread_of(const struct pp_cost *cost,
                                  const struct pp_report *report, double inflation)
{
    return (struct pp_spread){(double)cost->median / 1e9, (double)cost->p5 / 1e9,
                              (double)cost->p95 / 1e9,
                              fmax(1, report->step_count) / inflation};
}

/* Prints those ops of a stage and kind whose costs changed; returns how many. */
static int print_costs(const struct comparison *comparison)
{
    const struct pp_report *before = comparison->before, *after = comparison->after;
    const struct pp_shift *steps = &comparison->makespan;
    const struct pp_figure *makespan = figure_named("makespan"); /* a time, too */
    int changed = 0;
    for (int i = 0; i < after->cost_count; i++) {
        const struct pp_cost *b = &after->costs[i], *a = cost_of(before, b);
        char name[64];
        if (!a || !(comparison->exact || steps->enough))
            continue;
        struct pp_spread was = spread_of(a, before, steps->inflation);
        struct pp_spread is = spread_of(b, after, steps->inflation);
        struct pp_shift shift =
            pp_median_shift(&was, &is, claim_level / after->cost_count);
        pp_assign(name, sizeof name, "stage %d, %c", b->stage, pp_kind_letter(b->kind));
        if (b->of_class.label[0])
            pp_append(name, sizeof name, " (%s, rows %d)", b->of_class.label,
                      b->of_class.rows);
        if (shift.claimed)
            changed +=
                print_tested(comparison, name, makespan, was.median, is.median, &shift);
    }
    return changed;
}

static void print_seen(const struct comparison *comparison, const char *name,
                       double before, const struct pp_shift *shift, const char **link)
{
    if (!shift->enough || shift->claimed || !isfinite(100 / before))
        return;
    fprintf(comparison->stream, "%s %s by %.1f%%", *link, name,
            100 * shift->seen / before);
    *link = ",";
}

/* How far the test sees, and what it cannot. */
static void print_reach(const struct comparison *comparison)
{
    const char *link = "would be seen, 9 times in 10: a change of";
    const char *none = link;
    if (comparison->exact || !comparison->makespan.enough)
        return;
    if (comparison->markdown)
        fputc('\n', comparison->stream);
    print_seen(comparison, "makespan",
               (double)comparison->before->makespans.median / 1e9,
               &comparison->makespan, &link);
    print_seen(comparison, "bubble", comparison->before->metrics.bubble.fraction,
               &comparison->bubble, &link);
    if (link != none)
        fputs(comparison->markdown ? "\n\n" : "\n", comparison->stream);
    fprintf(
        comparison->stream,
        "tested on the steps, %d against %d. Other load on the machine looks like a "
        "change:\nrun both once more to be sure\n",
        comparison->before->step_count, comparison->after->step_count);
}

/* "before: rank 0 had 53% of its core, others the rest": a load that is known. */
static void print_share(const struct comparison *comparison, const char *which,
                        const struct pp_report *report)
{
    char share[PP_SHARE_TEXT];
    if (pp_core_share_text(report, share)[0])
        fprintf(comparison->stream, comparison->markdown ? "\n%s: %s\n" : "%s: %s\n",
                which, share);
}

static void print_table(const struct comparison *comparison)
{
    static const char *const parts[] = {
        "over_ideal",    "span",     "warmup",   "dependency",
        "communication", "overhead", "cooldown", NULL};
    static const char *const memory[] = {"peak_in_flight", "peak_activation_bytes",
                                         NULL};
    const struct pp_report *before = comparison->before, *after = comparison->after;
    FILE *stream = comparison->stream;
    if (comparison->markdown)
        fputs("| figure | before | after | change | |\n|---|---|---|---|---|\n",
              stream);
    else
        fprintf(stream, "  %-25s %13s %13s  change\n", "", "before", "after");
    int in_time =
        print_tested(comparison, "makespan", figure_named("makespan"),
                     (double)before->makespans.median / 1e9,
                     (double)after->makespans.median / 1e9, &comparison->makespan);
    in_time += print_tested(comparison, "bubble", figure_named("bubble"),
                            before->metrics.bubble.fraction,
                            after->metrics.bubble.fraction, &comparison->bubble);
    in_time += print_figures(comparison, parts, &comparison->bubble);
    int others = print_figures(comparison, memory, NULL);
    others += print_ranks(comparison, memory);
    in_time += print_costs(comparison);
    others += print_order(comparison);
    if (!comparison->exact && !comparison->makespan.enough)
        fprintf(stream,
                "%stoo few steps to tell: 6 measured ones in each report are enough\n",
                comparison->markdown ? "\n" : "");
    else if (in_time == 0)
        fprintf(stream, "%sno difference%s%s\n", comparison->markdown ? "\n" : "",
                others > 0 ? " in time" : "", comparison->exact ? "" : " beyond noise");
}

static bool have_one_shape(const struct pp_schedule *a, const struct pp_schedule *b)
{
    return a->ranks == b->ranks && a->stages == b->stages &&
           a->microbatches == b->microbatches;
}

int pp_compare_print(const struct pp_report *before, const struct pp_report *after,
                     pp_decides *decides, bool markdown, FILE *stream,
                     struct pp_error *error)
{
    struct comparison comparison = {
        .before = before,
        .after = after,
        .exact = is_exact(before) && is_exact(after),
        .one_shape = have_one_shape(&before->schedule, &after->schedule),
        .markdown = markdown,
        .stream = stream,
    };
    if (test_steps(&comparison, makespan_of, &comparison.makespan, error) != 0 ||
        test_steps(&comparison, bubble_of, &comparison.bubble, error) != 0)
        return -1;
    if (print_config(before, after, decides, markdown, stream) != 0)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for what differs");
    print_table(&comparison);
    print_reach(&comparison);
    print_share(&comparison, "before", before);
    print_share(&comparison, "after", after);
    return 0;
}
