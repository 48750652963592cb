#include "report/gate/tolerance.h"

#include <ctype.h>
#include <string.h>

static struct pp_tolerance *find(struct pp_tolerances *tolerances,
                                 const struct pp_figure *figure, int rank)
{
    for (int i = 0; i < tolerances->count; i++) {
        struct pp_tolerance *item = &tolerances->items[i];
        if (item->figure == figure && item->rank == rank)
            return item;
    }
    return NULL;
}

static const struct pp_figure *figure_named(const char *name)
{
    return pp_figure_find(name, strlen(name));
}

static void set_defaults(struct pp_tolerances *tolerances, bool simulated)
{
    static const struct {
        const char *name;
        double amount;
        bool relative, of_simulations;
    } defaults[] = {
        {"bubble", 0.01, false, false},
        {"peak_in_flight", 0, false, false},
        {"peak_activation_bytes", 0, false, false},
        {"makespan", 0.001, true, true},
    };
    *tolerances = (struct pp_tolerances){0};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (simulated || !defaults[i].of_simulations)
            tolerances->items[tolerances->count++] = (struct pp_tolerance){
                .figure = figure_named(defaults[i].name),
                .rank = -1,
                .amount = defaults[i].amount,
                .relative = defaults[i].relative,
                .by_default = true,
            };
    }
}

/* NUMBER [UNIT | '%' | 'pp'] */
static int parse_amount(struct pp_scanner *scanner, struct pp_tolerance *item)
{
    static const struct pp_unit points[] = {{"pp", 1, 100}, {NULL, 0, 0}};
    static const struct pp_units percentage_points = {points, NULL};
    if (pp_scan_number(scanner, &item->amount) != 0)
        return -1;
    item->relative = pp_scan_sign(scanner, "%");
    if (item->relative) {
        item->amount /= 100;
        return 0;
    }
    if (item->figure->unit == PP_FRACTION)
        return pp_scan_unit(scanner, &percentage_points, &item->amount, NULL);
    return pp_figure_scan_unit(scanner, item->figure, &item->amount);
}

static int parse_item(struct pp_scanner *scanner, struct pp_tolerances *tolerances,
                      int ranks)
{
    const char *start = scanner->at;
    struct pp_tolerance item = {.figure = figure_named("bubble"), .rank = -1};
    bool amount_alone = isdigit((unsigned char)*start) || *start == '.';
    if (!amount_alone && (pp_figure_scan(scanner, &item.figure) != 0 ||
                          pp_figure_scan_rank(scanner, item.figure, ranks, &item.rank)))
        return -1;
    if (!amount_alone && !pp_scan_sign(scanner, "="))
        return pp_scan_fail(scanner, scanner->at, "want '=' and a number");
    if (parse_amount(scanner, &item) != 0)
        return -1;
    struct pp_tolerance *same = find(tolerances, item.figure, item.rank);
    if (same && !same->by_default)
        return pp_scan_fail(scanner, start, "'%s' is given twice", item.figure->name);
    if (!same && tolerances->count == PP_MOST_TOLERANCES)
        return pp_scan_fail(scanner, start, "more than %d figures", PP_MOST_TOLERANCES);
    if (!same)
        same = &tolerances->items[tolerances->count++];
    *same = item;
    return 0;
}

int pp_tolerances_parse(struct pp_tolerances *tolerances, const char *text, int ranks,
                        bool simulated, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER("tolerance", text, error);
    set_defaults(tolerances, simulated);
    if (!text)
        return 0;
    do {
        size_t length = strcspn(scanner.at, ",");
        if (length == strlen("both") && pp_scan_sign(&scanner, "both"))
            tolerances->both = true;
        else if (parse_item(&scanner, tolerances, ranks) != 0)
            return -1;
    } while (pp_scan_sign(&scanner, ","));
    return pp_scan_end(&scanner);
}

bool pp_tolerance_is_of(const struct pp_tolerances *tolerances,
                        const struct pp_tolerance *item, int rank)
{
    if (item->rank >= 0 || rank < 0)
        return item->rank == rank;
    for (int i = 0; i < tolerances->count; i++) {
        const struct pp_tolerance *other = &tolerances->items[i];
        if (other->figure == item->figure && other->rank == rank)
            return false;
    }
    return true;
}
