#include "report/gate/check.h"

#include <math.h>
#include <string.h>

#include "base/scan.h"
#include "base/words.h"

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
        pp_figure_scan_unit(scanner, check->figure, &check->bound) != 0)
        return -1;
    if (negative)
        check->bound = -check->bound;
    return pp_scan_end(scanner);
}

int pp_check_parse(struct pp_check *check, const char *option, const char *text,
                   int ranks, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER(option, text, error);
    *check = (struct pp_check){.text = text, .rank = -1};
    pp_scan_blanks(&scanner);
    if (pp_figure_scan(&scanner, &check->figure) != 0)
        return -1;
    pp_scan_blanks(&scanner);
    if (pp_figure_scan_rank(&scanner, check->figure, ranks, &check->rank) != 0 ||
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

static const char never_below[] = " (impossible: it is never below 0)";
static const char never_above[] = " (impossible: a fraction is at most 1)";
static const char always_below[] = " (always holds: a fraction is at most 1)";
static const char always_above[] = " (always holds: it is never below 0)";

/* Why the bound cannot have been meant so (30 for 30%): the check holds for every value
 * that the figure can have, or for none. Empty where it can go either way. */
static const char *pointless(const struct pp_check *check)
{
    bool to_one = check->figure->unit == PP_FRACTION && !check->figure->above_one;
    double most = to_one ? 1 : (double)INFINITY, bound = check->bound;
    bool below = bound<0, above = bound> most;
    bool at_least = bound <= 0, at_most = bound >= most;
    switch (check->comparison) {
    case PP_LE:
        return below ? never_below : at_most ? always_below : "";
    case PP_LT:
        return at_least ? never_below : above ? always_below : "";
    case PP_GE:
        return above ? never_above : at_least ? always_above : "";
    case PP_GT:
        return at_most ? never_above : below ? always_above : "";
    case PP_EQ:
        return below ? never_below : above ? never_above : "";
    }
    return "";
}

bool pp_check_holds(const struct pp_check *check, double value)
{
    /* No comparison holds for NaN. */
    return satisfied(check->comparison, value, check->bound);
}

void pp_check_verdict(const struct pp_check *check, double value, struct pp_range range,
                      int steps, struct pp_verdict *verdict)
{
    char text[PP_FIGURE_TEXT], bound[PP_FIGURE_TEXT];
    char over[PP_RANGE_TEXT], name[PP_FIGURE_NAME];
    *verdict = (struct pp_verdict){
        .outcome = pp_check_holds(check, value) ? PP_PASS : PP_FAIL,
        .rank = check->rank,
    };
    pp_assign(verdict->name, sizeof verdict->name, "check %s", check->text);
    pp_figure_texts(check->figure, value, check->bound, text, bound);
    pp_figure_name(check->figure, check->rank, name);
    if (isnan(value))
        pp_assign(verdict->finding, sizeof verdict->finding, "%s is %s (%s); wanted %s",
                  name, text, pp_figure_why_unknown(check->figure), check->text);
    else
        pp_assign(verdict->finding, sizeof verdict->finding, "%s is %s%s; wanted %s%s",
                  name, text, pp_range_text(check->figure, range, steps, over),
                  check->text, pointless(check));
}

void pp_check_judge(const struct pp_check *check, const struct pp_report *report,
                    struct pp_verdict *verdict)
{
    pp_check_verdict(check, pp_figure_value(check->figure, report, check->rank),
                     pp_figure_range(check->figure, report, check->rank),
                     report->step_count, verdict);
}
