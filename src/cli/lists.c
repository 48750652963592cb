#include "cli/lists.h"

#include <limits.h>
#include <stdbool.h>

#include "base/scan.h"

static bool listed(const struct pp_list *list, int value)
{
    for (int i = 0; i < list->count; i++) {
        if (list->items[i] == value)
            return true;
    }
    return false;
}

/* The numbers of one item: from, then the next by a factor or a step while they are at
 * most to. */
struct range {
    long from, to, by;
    bool times;
};

/* FROM, FROM:TO, FROM:TO:xFACTOR or FROM:TO:+STEP. */
static int read_range(struct pp_scanner *scanner, int least, int most,
                      struct range *range)
{
    if (pp_scan_whole(scanner, "whole number", least, most, &range->from) != 0)
        return -1;
    range->to = range->from;
    range->by = 1;
    range->times = false;
    if (!pp_scan_sign(scanner, ":"))
        return 0;
    if (pp_scan_whole(scanner, "whole number", range->from, most, &range->to) != 0)
        return -1;
    if (!pp_scan_sign(scanner, ":"))
        return 0;
    range->times = pp_scan_sign(scanner, "x");
    if (!range->times && !pp_scan_sign(scanner, "+"))
        return pp_scan_fail(scanner, scanner->at, "want xFACTOR or +STEP");
    return pp_scan_whole(scanner, "whole number", range->times ? 2 : 1, INT_MAX,
                         &range->by);
}

static int add_range(const struct pp_scanner *scanner, const struct range *range,
                     struct pp_list *list)
{
    long value = range->from;
    while (value <= range->to) {
        if (!listed(list, (int)value)) {
            if (list->count == PP_MOST_LISTED)
                return pp_scan_fail(scanner, scanner->at, "more than %d numbers",
                                    PP_MOST_LISTED);
            list->items[list->count++] = (int)value;
        }
        value = range->times ? value * range->by : value + range->by;
    }
    return 0;
}

int pp_list_parse(struct pp_list *list, const char *option, const char *text, int least,
                  int most, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER(option, text, error);
    list->count = 0;
    do {
        struct range range;
        if (read_range(&scanner, least, most, &range) != 0 ||
            add_range(&scanner, &range, list) != 0)
            return -1;
    } while (pp_scan_sign(&scanner, ","));
    if (pp_scan_at_end(&scanner))
        return 0;
    return pp_scan_fail(&scanner, scanner.at, "want ',', ':' or the end");
}
