#include "cli/interval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/words.h"

/* Sets the interval if one begins at the quantity; -1 for one that is malformed. */
static int read_interval(struct pp_interval *interval, const struct pp_quantity *from,
                         const char *at, struct pp_error *error)
{
    struct pp_scanner scanner =
        PP_SCANNER(interval->option->name, interval->text, error);
    const char *next = at + from->length + strlen("..");
    struct pp_quantity to;
    if (!pp_quantity_read(&to, next))
        return pp_scan_fail(&scanner, next, "want the other end of the interval");
    if (!pp_quantity_in(&to, from, &interval->to))
        return pp_scan_fail(&scanner, at, "the ends want units of one kind");
    if (!(interval->to > from->number))
        return pp_scan_fail(&scanner, at, "the interval is empty");
    interval->from = *from;
    interval->at = at;
    interval->length = (size_t)(next - at) + to.length;
    interval->ns = pp_quantity_ns(from);
    return 0;
}

int pp_interval_find(struct pp_interval *interval, const struct pp_options *options,
                     struct pp_error *error)
{
    struct pp_quantity quantity;
    int count = 0;
    for (int i = 0; i < pp_option_count; i++) {
        const struct pp_option *option = &pp_option_table[i];
        const struct pp_list *list = &options->lists[i];
        bool is_text = option->type == PP_TEXT && option->file == PP_NO_FILE;
        for (int v = 0; is_text && v < list->count; v++) {
            const char *at = list->values[v];
            while ((at = pp_quantity_next(&quantity, list->values[v], at))) {
                if (strncmp(at + quantity.length, "..", 2) == 0) {
                    *interval =
                        (struct pp_interval){.option = option, .text = list->values[v]};
                    if (read_interval(interval, &quantity, at, error) != 0)
                        return -1;
                    count++;
                }
                at += quantity.length;
            }
        }
    }
    return count;
}

double pp_interval_round(const struct pp_interval *interval, double number)
{
    char text[PP_INTERVAL_TEXT];
    if (interval->ns > 0)
        number = nearbyint(number * interval->ns) / interval->ns;
    return strtod(pp_interval_number(interval, number, text), NULL);
}

const char *pp_interval_number(const struct pp_interval *interval, double number,
                               char text[PP_INTERVAL_TEXT])
{
    pp_assign(text, PP_INTERVAL_TEXT, "%.*g%.*s", interval->ns > 0 ? 15 : 9, number,
              interval->from.unit_length, interval->from.unit);
    return text;
}

char *pp_interval_text(const struct pp_interval *interval, double number)
{
    char own[PP_INTERVAL_TEXT], *text;
    int length = asprintf(&text, "%.*s%s%s", (int)(interval->at - interval->text),
                          interval->text, pp_interval_number(interval, number, own),
                          interval->at + interval->length);
    return length < 0 ? NULL : text;
}

void pp_interval_grid(const struct pp_interval *interval, double *numbers, int count)
{
    enum { WIDE = 8 };
    double from = interval->from.number, to = interval->to;
    bool by_factors = from > 0 && to / from >= WIDE;
    for (int i = 0; i < count; i++) {
        double part = (double)i / (count - 1);
        numbers[i] =
            pp_interval_round(interval, by_factors ? from * pow(to / from, part)
                                                   : from + (to - from) * part);
    }
    numbers[0] = from;
    numbers[count - 1] = to;
}
