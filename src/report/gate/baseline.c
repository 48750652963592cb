#include "report/gate/baseline.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/scan.h"
#include "base/words.h"

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

/* [FIGURE=]AMOUNT; an amount alone is bubble's. */
static int parse_tolerance(struct pp_scanner *scanner, struct pp_tolerances *tolerances)
{
    const char *start = scanner->at;
    const struct pp_figure *figure = pp_figure_find("bubble", strlen("bubble"));
    bool relative, amount_alone = isdigit((unsigned char)*start) || *start == '.';
    double amount;
    if (!amount_alone && pp_figure_scan(scanner, &figure) != 0)
        return -1;
    if (!amount_alone && !pp_scan_sign(scanner, "="))
        return pp_scan_fail(scanner, scanner->at, "want '=' and a number");
    if (pp_scan_number(scanner, &amount) != 0)
        return -1;
    relative = pp_scan_sign(scanner, "%");
    if (relative)
        amount /= 100;
    else if (pp_figure_scan_unit(scanner, figure, &amount, NULL) != 0)
        return -1;
    if (set_tolerance(tolerances, figure, amount, relative) != 0)
        return pp_scan_fail(scanner, start, "more than %d figures", PP_MOST_TOLERANCES);
    return 0;
}

int pp_tolerances_parse(struct pp_tolerances *tolerances, const char *text,
                        struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("tolerance", text, error);
    *tolerances = (struct pp_tolerances){0};
    set_tolerance(tolerances, pp_figure_find("bubble", strlen("bubble")), 0.01, false);
    do {
        size_t length = strcspn(scanner.at, ",");
        if (length == strlen("both") && pp_scan_sign(&scanner, "both"))
            tolerances->both = true;
        else if (parse_tolerance(&scanner, tolerances) != 0)
            return -1;
    } while (pp_scan_sign(&scanner, ","));
    return pp_scan_end(&scanner);
}

static void note(char *keys, size_t size, const char *key)
{
    pp_append(keys, size, "%s'%s'", keys[0] ? ", " : "", key);
}

int pp_baseline_comparable(const struct pp_report *baseline, const json_t *config,
                           pp_decides *decides, const char *command, const char *clock,
                           const char *path, struct pp_error *error)
{
    char keys[512] = "";
    const char *key;
    json_t *value;
    if (strcmp(baseline->command, command) != 0)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--baseline' '%s' is of another command: '%s', not '%s'; write it "
            "anew with '--update-baseline'",
            path, baseline->command, command);
    json_object_foreach((json_t *)config, key, value)
    {
        if (pp_config_differs(baseline->config, key, value, decides))
            note(keys, sizeof keys, key);
    }
    json_object_foreach(baseline->config, key, value)
    {
        if (!json_object_get(config, key) &&
            pp_config_differs(config, key, value, decides))
            note(keys, sizeof keys, key);
    }
    if (clock && strcmp(baseline->environment.clock, clock) != 0)
        note(keys, sizeof keys, "environment.clock");
    if (keys[0] == '\0')
        return 0;
    return pp_fail(
        error, PP_BAD_INPUT,
        "'--baseline' '%s' is of another configuration: %s differ%s; write it "
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
        pp_assign(verdict->name, sizeof verdict->name, "baseline %s", figure->name);
        pp_figure_texts(figure, change.after, change.before, after, before);
        pp_figure_texts(figure, allowed, fabs(worse), most, difference);
        pp_assign(verdict->finding, sizeof verdict->finding,
                  "%s is %s%s, the baseline's is %s; it may be %s %s%s", figure->name,
                  after,
                  pp_range_text(figure, change.after_range, report->step_count, steps),
                  before, tolerances->both ? "off by" : "worse by", most,
                  always ? " (always holds: a fraction is at most 1)"
                  : ranges && !change.beyond_noise ? " (the steps' ranges overlap)"
                                                   : "");
    }
}
