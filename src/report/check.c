#include "report/check.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int bad(const char *text, const char *at, const char *valid,
               struct pp_error *error)
{
    return pp_fail(error, PP_BAD_INPUT, "'--check' '%s', column %d: %s", text,
                   (int)(at - text) + 1, valid);
}

static const char *skip(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static int parse_figure(struct pp_check *check, const char **at, int ranks,
                        struct pp_error *error)
{
    char names[512], valid[640];
    size_t length = strspn(*at, "abcdefghijklmnopqrstuvwxyz_");
    check->figure = pp_figure_find(*at, length);
    if (!check->figure) {
        pp_figure_names(names, sizeof names);
        snprintf(valid, sizeof valid, "no such figure: there are %s", names);
        return bad(check->text, *at, valid, error);
    }
    *at = skip(*at + length);
    if (**at != '[')
        return 0;
    if (!check->figure->per_rank)
        return bad(check->text, *at, "this figure is not one of a rank", error);
    char *end;
    const char *number = skip(*at + 1);
    long rank = strtol(number, &end, 10);
    if (end == number || *skip(end) != ']' || rank < 0 || rank >= ranks) {
        snprintf(valid, sizeof valid, "want a rank from 0 to %d and ']'", ranks - 1);
        return bad(check->text, number, valid, error);
    }
    check->rank = (int)rank;
    *at = skip(skip(end) + 1);
    return 0;
}

static int parse_bound(struct pp_check *check, const char *at, struct pp_error *error)
{
    static const struct {
        const char *name;
        double factor;
        bool of_time;
    } units[] = {{"%", 0.01, false},
                 {"ns", 1e-9, true},
                 {"us", 1e-6, true},
                 {"ms", 1e-3, true},
                 {"s", 1, true}};
    char *end;
    check->bound = strtod(at, &end);
    if (end == at || !isfinite(check->bound))
        return bad(check->text, at, "want a number", error);
    const char *unit = skip(end);
    bool of_time = check->figure->unit == PP_SECONDS;
    double factor = *unit == '\0' ? 1 : 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(unit, units[i].name, length) == 0 && *skip(unit + length) == '\0' &&
            units[i].of_time == of_time)
            factor = units[i].factor;
    }
    if (factor == 0)
        return bad(check->text, unit,
                   of_time ? "want ns, us, ms, s or the end" : "want '%' or the end",
                   error);
    check->bound *= factor;
    if (of_time) /* timelines are in whole ns: compare as exactly as they are */
        check->bound = nearbyint(check->bound * 1e9) * 1e-9;
    return 0;
}

int pp_check_parse(struct pp_check *check, const char *text, int ranks,
                   struct pp_error *error)
{
    static const char *const signs[] = {"<=", ">=", "==", "<", ">"};
    const char *at = skip(text);
    *check = (struct pp_check){.text = text, .rank = -1};
    if (parse_figure(check, &at, ranks, error) != 0)
        return -1;
    for (int i = 0; i < (int)(sizeof signs / sizeof signs[0]); i++) {
        if (strncmp(at, signs[i], strlen(signs[i])) == 0) {
            check->comparison = (enum pp_comparison)i;
            return parse_bound(check, skip(at + strlen(signs[i])), error);
        }
    }
    return bad(text, at, "want one of <= >= < > ==", error);
}

static bool satisfied(enum pp_comparison comparison, double value, double bound)
{
    switch (comparison) {
    case PP_LE:
        return value <= bound;
    case PP_GE:
        return value >= bound;
    case PP_LT:
        return value < bound;
    case PP_GT:
        return value > bound;
    case PP_EQ:
        return value >= bound && value <= bound;
    }
    return false;
}

void pp_check_judge(const struct pp_check *check, const struct pp_report *report,
                    struct pp_verdict *verdict)
{
    double value = pp_figure_value(check->figure, report, check->rank);
    struct pp_range range = pp_figure_range(check->figure, report, check->rank);
    char text[PP_FIGURE_TEXT], low[PP_FIGURE_TEXT], high[PP_FIGURE_TEXT];
    *verdict = (struct pp_verdict){
        /* No comparison holds for NaN. */
        .passed = satisfied(check->comparison, value, check->bound),
    };
    char name[64];
    snprintf(name, sizeof name, check->rank < 0 ? "%s" : "%s[%d]", check->figure->name,
             check->rank);
    snprintf(verdict->name, sizeof verdict->name, "check %s", check->text);
    pp_figure_text(check->figure, value, text);
    if (range.low < range.high)
        snprintf(verdict->finding, sizeof verdict->finding,
                 "%s is %s, %s to %s over %d steps; wanted %s", name, text,
                 pp_figure_text(check->figure, range.low, low),
                 pp_figure_text(check->figure, range.high, high), report->step_count,
                 check->text);
    else
        snprintf(verdict->finding, sizeof verdict->finding, "%s is %s; wanted %s", name,
                 text, check->text);
}
