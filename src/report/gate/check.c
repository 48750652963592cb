#include "report/gate/check.h"

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
    return at + strspn(at, " \t");
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
    /* Divided by where it is less than 1, for 10^-9 is no double and 10^9 is. */
    static const struct {
        const char *name;
        double times, over;
        enum pp_unit of;
    } units[] = {{"%", 1, 100, PP_FRACTION},   {"ns", 1, 1e9, PP_SECONDS},
                 {"us", 1, 1e6, PP_SECONDS},   {"ms", 1, 1e3, PP_SECONDS},
                 {"s", 1, 1, PP_SECONDS},      {"B", 1, 1, PP_BYTES},
                 {"kB", 1e3, 1, PP_BYTES},     {"MB", 1e6, 1, PP_BYTES},
                 {"GB", 1e9, 1, PP_BYTES},     {"KiB", 0x1p10, 1, PP_BYTES},
                 {"MiB", 0x1p20, 1, PP_BYTES}, {"GiB", 0x1p30, 1, PP_BYTES}};
    static const char *const valid[] = {
        [PP_FRACTION] = "want '%' or the end",
        [PP_SECONDS] = "want ns, us, ms, s or the end",
        [PP_BYTES] = "want B, kB, MB, GB, KiB, MiB, GiB or the end",
        [PP_COUNT] = "want the end",
        [PP_RATE] = "want the end",
        [PP_NATS] = "want the end",
    };
    enum pp_unit of = check->figure->unit;
    char *end;
    check->bound = strtod(at, &end);
    if (end == at || !isfinite(check->bound))
        return bad(check->text, at, "want a number", error);
    const char *unit = skip(end);
    bool known = *unit == '\0';
    check->has_unit = !known;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t length = strlen(units[i].name);
        if (units[i].of == of && strncmp(unit, units[i].name, length) == 0 &&
            *skip(unit + length) == '\0') {
            known = true;
            check->bound = check->bound * units[i].times / units[i].over;
        }
    }
    if (!known)
        return bad(check->text, unit, valid[of], error);
    if (of ==
        PP_SECONDS) /* timelines are in whole ns: compare as exactly as they are */
        check->bound = nearbyint(check->bound * 1e9) / 1e9;
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

/* Does it hold whatever comes? Then it was meant otherwise: 30 for 30%. */
static bool always(const struct pp_check *check)
{
    bool below = (check->comparison == PP_LE && check->bound >= 1) ||
                 (check->comparison == PP_LT && check->bound > 1);
    return below && check->figure->unit == PP_FRACTION && !check->figure->above_one;
}

void pp_check_judge(const struct pp_check *check, const struct pp_report *report,
                    struct pp_verdict *verdict)
{
    double value = pp_figure_value(check->figure, report, check->rank);
    struct pp_range range = pp_figure_range(check->figure, report, check->rank);
    char text[PP_FIGURE_TEXT], bound[PP_FIGURE_TEXT];
    char steps[PP_RANGE_TEXT], note[PP_RANGE_TEXT] = "";
    *verdict = (struct pp_verdict){
        /* No comparison holds for NaN. */
        .passed = satisfied(check->comparison, value, check->bound),
    };
    char name[64];
    snprintf(name, sizeof name, check->rank < 0 ? "%s" : "%s[%d]", check->figure->name,
             check->rank);
    snprintf(verdict->name, sizeof verdict->name, "check %s", check->text);
    pp_figure_texts(check->figure, value, check->bound, text, bound);
    if (always(check))
        snprintf(note, sizeof note, " (which always holds: it is a fraction of 1)");
    else if (check->figure->unit == PP_SECONDS && !check->has_unit)
        snprintf(note, sizeof note, " (%s)", bound);
    snprintf(verdict->finding, sizeof verdict->finding, "%s is %s%s; wanted %s%s", name,
             text, pp_range_text(check->figure, range, report->step_count, steps),
             check->text, note);
}
