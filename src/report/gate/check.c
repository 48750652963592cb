#include "report/gate/check.h"

#include <string.h>

#include "base/scan.h"
#include "base/words.h"

/* [RANK] */
static int parse_rank(struct pp_scanner *scanner, struct pp_check *check, int ranks)
{
    const char *bracket = scanner->at;
    long rank;
    if (!pp_scan_sign(scanner, "["))
        return 0;
    if (!check->figure->per_rank)
        return pp_scan_fail(scanner, bracket, "this figure has no value per rank");
    pp_scan_blanks(scanner);
    if (pp_scan_whole(scanner, "rank", 0, ranks - 1, &rank) != 0)
        return -1;
    pp_scan_blanks(scanner);
    if (!pp_scan_sign(scanner, "]"))
        return pp_scan_fail(scanner, scanner->at, "want ']'");
    pp_scan_blanks(scanner);
    check->rank = (int)rank;
    return 0;
}

static int parse_comparison(struct pp_scanner *scanner, enum pp_comparison *comparison)
{
    static const char *const signs[] = {"<=", ">=", "==", "<", ">"};
    for (int i = 0; i < (int)(sizeof signs / sizeof signs[0]); i++) {
        if (pp_scan_sign(scanner, signs[i])) {
            pp_scan_blanks(scanner);
            *comparison = (enum pp_comparison)i;
            return 0;
        }
    }
    return pp_scan_fail(scanner, scanner->at, "want one of <= >= < > ==");
}

/* A number, which may be negative, and its unit. */
static int parse_bound(struct pp_scanner *scanner, struct pp_check *check)
{
    bool negative = pp_scan_sign(scanner, "-");
    if (pp_scan_number(scanner, &check->bound) != 0 ||
        pp_figure_scan_unit(scanner, check->figure, &check->bound, &check->has_unit) !=
            0)
        return -1;
    if (negative)
        check->bound = -check->bound;
    return pp_scan_end(scanner);
}

int pp_check_parse(struct pp_check *check, const char *text, int ranks,
                   struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("check", text, error);
    *check = (struct pp_check){.text = text, .rank = -1};
    pp_scan_blanks(&scanner);
    if (pp_figure_scan(&scanner, &check->figure) != 0)
        return -1;
    pp_scan_blanks(&scanner);
    if (parse_rank(&scanner, check, ranks) != 0 ||
        parse_comparison(&scanner, &check->comparison) != 0)
        return -1;
    return parse_bound(&scanner, check);
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

/* Does it hold for every value? Then it was probably not meant so: 30 for 30%. */
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
    pp_assign(name, sizeof name, check->rank < 0 ? "%s" : "%s[%d]", check->figure->name,
              check->rank);
    pp_assign(verdict->name, sizeof verdict->name, "check %s", check->text);
    pp_figure_texts(check->figure, value, check->bound, text, bound);
    if (always(check))
        pp_assign(note, sizeof note, " (always holds: a fraction is at most 1)");
    else if (check->figure->unit == PP_SECONDS && !check->has_unit)
        pp_assign(note, sizeof note, " (%s)", bound);
    pp_assign(verdict->finding, sizeof verdict->finding, "%s is %s%s; wanted %s%s",
              name, text,
              pp_range_text(check->figure, range, report->step_count, steps),
              check->text, note);
}
