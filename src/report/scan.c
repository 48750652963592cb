#include "report/scan.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "base/units.h"

int pp_scan_fail(const struct pp_scan *scan, const char *at, const char *format, ...)
{
    char what[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return pp_fail(scan->error, PP_BAD_INPUT, "%s '%s': column %d: %s", scan->option,
                   scan->text, (int)(at - scan->text) + 1, what);
}

char pp_scan_peek(struct pp_scan *scan)
{
    while (isspace((unsigned char)*scan->at))
        scan->at++;
    return *scan->at;
}

static int no_metric(const struct pp_scan *scan, size_t length, const char *also)
{
    enum { MOST = 32 };
    const char *names[MOST + 1];
    char list[512], name[64];
    int count = 0;
    for (const struct pp_metric *metric = pp_metrics_table;
         metric->name && count < MOST - 1; metric++)
        names[count++] = metric->name;
    if (also)
        names[count++] = also;
    names[count] = NULL;
    pp_names_list(names, list, sizeof list);
    if (length == 0)
        return pp_scan_fail(scan, scan->at, "a metric is missing: there are %s", list);
    snprintf(name, sizeof name, "%.*s", (int)length, scan->at);
    const char *nearest = pp_names_nearest(names, name);
    if (nearest)
        return pp_scan_fail(scan, scan->at,
                            "no metric '%s': did you mean '%s'? there are %s", name,
                            nearest, list);
    return pp_scan_fail(scan, scan->at, "no metric '%s': there are %s", name, list);
}

/* Behind a metric: "[3]", if it is there. */
static int scan_rank(struct pp_scan *scan, int ranks, struct pp_metric_of *of)
{
    char *end;
    if (pp_scan_peek(scan) != '[')
        return 0;
    if (!of->metric->of_ranks)
        return pp_scan_fail(scan, scan->at,
                            "'%s' is of all ranks together: leave the brackets out",
                            of->metric->name);
    scan->at++;
    if (!isdigit((unsigned char)pp_scan_peek(scan)))
        return pp_scan_fail(scan, scan->at, "a rank is missing: 0 to %d", ranks - 1);
    const char *digits = scan->at;
    unsigned long rank = strtoul(digits, &end, 10);
    if (rank >= (unsigned long)ranks)
        return pp_scan_fail(scan, digits, "no rank %.*s: there are 0 to %d",
                            (int)(end - digits), digits, ranks - 1);
    scan->at = end;
    if (pp_scan_peek(scan) != ']')
        return pp_scan_fail(scan, scan->at, "']' is missing");
    scan->at++;
    of->rank = (int)rank;
    return 0;
}

int pp_scan_metric(struct pp_scan *scan, int ranks, const char *also,
                   struct pp_metric_of *of)
{
    size_t length = 0;
    pp_scan_peek(scan);
    while (isalnum((unsigned char)scan->at[length]) || scan->at[length] == '_')
        length++;
    *of = (struct pp_metric_of){pp_metric_find(scan->at, length), -1};
    if (!of->metric)
        return no_metric(scan, length, also);
    scan->at += length;
    return scan_rank(scan, ranks, of);
}

static int scan_real(struct pp_scan *scan, double *number)
{
    char *end;
    if (pp_scan_peek(scan) == '\0')
        return pp_scan_fail(scan, scan->at, "a number is missing");
    strtod(scan->at, &end);
    size_t length = (size_t)(end - scan->at);
    const char *wrong =
        pp_parse_quantity(scan->at, length ? length : 1, pp_no_units, number);
    if (wrong)
        return pp_scan_fail(scan, scan->at, "'%s' %s: a number from 0 on is", scan->at,
                            wrong);
    scan->at = end;
    return 0;
}

int pp_scan_number(struct pp_scan *scan, double *number)
{
    double divisor = 1;
    if (scan_real(scan, number) != 0)
        return -1;
    if (pp_scan_peek(scan) != '/')
        return 0;
    scan->at++;
    pp_scan_peek(scan);
    const char *at = scan->at;
    if (scan_real(scan, &divisor) != 0)
        return -1;
    *number /= divisor;
    if (!isfinite(*number))
        return pp_scan_fail(scan, at, "no number can be divided by this one");
    return 0;
}

/* The units of a metric: "%", "s, ms, us and ns". */
static void list_scales(const struct pp_scale *scales, char *text, size_t size)
{
    enum { MOST = 16 };
    const char *names[MOST + 1] = {NULL};
    for (int count = 0; scales->name && count < MOST; scales++) {
        if (scales->name[0])
            names[count++] = scales->name;
    }
    pp_names_list(names, text, size);
}

int pp_scan_unit(struct pp_scan *scan, const struct pp_metric *metric, double number,
                 double *value)
{
    const struct pp_scale *scales = pp_scales(metric->dimension), *scale = scales;
    char list[128];
    size_t length = 0;
    pp_scan_peek(scan);
    while (scan->at[length] && !isspace((unsigned char)scan->at[length]) &&
           scan->at[length] != ',')
        length++;
    while (scale->name && (strlen(scale->name) != length ||
                           strncmp(scale->name, scan->at, length) != 0))
        scale++;
    if (!scale->name) {
        list_scales(scales, list, sizeof list);
        return pp_scan_fail(scan, scan->at, "'%.*s' is no unit of '%s': there %s%s",
                            (int)length, scan->at, metric->name,
                            list[0] ? "are none or " : "is none", list);
    }
    *value = number * scale->multiply / scale->divide;
    if (metric->dimension == PP_TIME)
        *value = round(*value);
    scan->at += length;
    return 0;
}
