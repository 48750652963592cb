#include "cli/lists.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scan.h"
#include "base/words.h"
#include "cli/quantity.h"

/* Adds the text, unless it is there; takes it over. */
static int add(struct pp_list *list, const struct pp_scanner *scanner, char *text)
{
    bool listed = false;
    for (int i = 0; text && i < list->count; i++)
        listed |= strcmp(list->values[i], text) == 0;
    if (listed) {
        free(text);
        return 0;
    }
    if (list->count == PP_MOST_LISTED) {
        free(text);
        return pp_scan_fail(scanner, scanner->at, "more than %d values",
                            PP_MOST_LISTED);
    }
    char **values =
        text ? realloc(list->values, ((size_t)list->count + 1) * sizeof *values) : NULL;
    if (!values) {
        free(text);
        return pp_fail(scanner->error, PP_ENVIRONMENT, "out of memory for the options");
    }
    list->values = values;
    list->values[list->count++] = text;
    return 0;
}

/* The numbers of one item: from, then the next by a factor or a step while they are at
 * most to. */
struct range {
    long from, to, by;
    bool times;
};

/* FROM, FROM:TO, FROM:TO:xFACTOR or FROM:TO:+STEP. */
static int read_range(struct pp_scanner *scanner, long least, long most,
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
    range->times = range->from > 0 && pp_scan_sign(scanner, "x");
    if (!range->times && !pp_scan_sign(scanner, "+"))
        return pp_scan_fail(scanner, scanner->at,
                            range->from > 0 ? "want xFACTOR or +STEP" : "want +STEP");
    return pp_scan_whole(scanner, "whole number", range->times ? 2 : 1, INT_MAX,
                         &range->by);
}

int pp_list_numbers(struct pp_list *list, const char *option, const char *text,
                    long least, long most, struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER(option, text, error);
    do {
        struct range range;
        char number[32];
        if (read_range(&scanner, least, most, &range) != 0)
            return -1;
        for (long value = range.from; value <= range.to;
             value = range.times ? value * range.by : value + range.by) {
            pp_assign(number, sizeof number, "%ld", value);
            if (add(list, &scanner, strdup(number)) != 0)
                return -1;
        }
    } while (pp_scan_sign(&scanner, ","));
    if (pp_scan_at_end(&scanner))
        return 0;
    return pp_scan_fail(&scanner, scanner.at, "want ',', ':' or the end");
}

int pp_list_names(struct pp_list *list, const char *option, const char *text,
                  struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER(option, text, error);
    do {
        const char *at = scanner.at;
        size_t length = pp_scan_until(&scanner, ",");
        if (length == 0)
            return pp_scan_fail(&scanner, at, "want a name");
        if (add(list, &scanner, strndup(at, length)) != 0)
            return -1;
    } while (pp_scan_sign(&scanner, ","));
    return 0;
}

/* FROM:TO:xFACTOR or FROM:TO:+STEP within a text; numbers are in FROM's unit. */
struct span {
    struct pp_quantity from;
    double to, by;
    bool times;
    const char *end; /* behind it */
};

/* Does a range begin here? Other texts have colons too, but nothing else has an x or a
 * + behind one. */
static bool find_span(const char *at, struct span *span, struct pp_quantity *to)
{
    if (!pp_quantity_read(&span->from, at) || at[span->from.length] != ':')
        return false;
    const char *next = at + span->from.length + 1;
    if (!pp_quantity_read(to, next) || next[to->length] != ':')
        return false;
    span->end = next + to->length + 1;
    span->times = *span->end == 'x';
    return span->times || *span->end == '+';
}

static int read_span(struct pp_scanner *scanner, const char *at, struct span *span,
                     const struct pp_quantity *to)
{
    struct pp_quantity by;
    const char *sign = span->end;
    if (!pp_quantity_in(to, &span->from, &span->to))
        return pp_scan_fail(scanner, at, "the ends of a range want units of one kind");
    if (!(span->to >= span->from.number))
        return pp_scan_fail(scanner, at, "the range ends before it begins");
    if (!pp_quantity_read(&by, sign + 1))
        return pp_scan_fail(scanner, sign + 1, "want %s",
                            span->times ? "a factor" : "a step");
    span->by = by.number;
    span->end = sign + 1 + by.length;
    if (span->times && (by.unit_length > 0 || !(by.number > 1)))
        return pp_scan_fail(scanner, sign + 1, "want a factor above 1, without a unit");
    if (span->times && !(span->from.number > 0))
        return pp_scan_fail(scanner, sign,
                            "from 0 no factor leads anywhere: want +STEP");
    if (!span->times && by.unit_length > 0 &&
        !pp_quantity_in(&by, &span->from, &span->by))
        return pp_scan_fail(scanner, sign + 1, "the step wants a unit like the ends'");
    if (!span->times && !(span->by > 0))
        return pp_scan_fail(scanner, sign + 1, "want a step above 0");
    return 0;
}

static int expand(struct pp_list *list, struct pp_scanner *scanner, const char *from);

/* Adds a text per number of the range, each with what stands before and behind it. */
static int expand_span(struct pp_list *list, struct pp_scanner *scanner, const char *at,
                       const struct span *span)
{
    enum { DIGITS = 12 }; /* 3 * 0.1 is 0.3 */
    const char *text = scanner->text;
    double last = span->to * (1 + 1e-12), value = span->from.number;
    for (int i = 1; value <= last; i++) {
        char *own = NULL;
        int before = (int)(at - text);
        int length = asprintf(&own, "%.*s%.*g%.*s%s", before, text, DIGITS, value,
                              span->from.unit_length, span->from.unit, span->end);
        if (length < 0)
            return pp_fail(scanner->error, PP_ENVIRONMENT,
                           "out of memory for the options");
        if (i > PP_MOST_LISTED) {
            free(own);
            return pp_scan_fail(scanner, at, "more than %d values", PP_MOST_LISTED);
        }
        struct pp_scanner rest = PP_SCANNER(scanner->option, own, scanner->error);
        /* The same place in the text that is made: behind this range. */
        const char *behind = own + (size_t)length - strlen(span->end);
        int status = expand(list, &rest, behind);
        free(own);
        if (status != 0)
            return -1;
        value = span->times ? value * span->by : span->from.number + i * span->by;
    }
    return 0;
}

/* Adds the values of the scanner's text, whose ranges before `from` are expanded. */
static int expand(struct pp_list *list, struct pp_scanner *scanner, const char *from)
{
    struct pp_quantity quantity, to;
    struct span span;
    const char *at = from;
    while ((at = pp_quantity_next(&quantity, scanner->text, at))) {
        if (find_span(at, &span, &to)) {
            if (read_span(scanner, at, &span, &to) != 0)
                return -1;
            return expand_span(list, scanner, at, &span);
        }
        at += quantity.length;
    }
    return add(list, scanner, strdup(scanner->text));
}

int pp_list_texts(struct pp_list *list, const char *option, const char *text,
                  struct pp_error *error)
{
    struct pp_scanner scanner = PP_SCANNER(option, text, error);
    return expand(list, &scanner, text);
}

void pp_list_release(struct pp_list *list)
{
    for (int i = 0; i < list->count; i++)
        free(list->values[i]);
    free(list->values);
    free(list->given);
    *list = (struct pp_list){0};
}
