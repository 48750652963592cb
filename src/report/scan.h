/* Reading the small languages of --check and --tolerance piece by piece. Spaces between
 * pieces are skipped. The first mistake sets the error, "OPTION 'TEXT': column N: …"
 * with what would be valid, PP_BAD_INPUT. */
#ifndef PP_REPORT_SCAN_H
#define PP_REPORT_SCAN_H

#include "report/metric.h"

struct pp_scan {
    const char *option; /* "--check" */
    const char *text;   /* all of it */
    const char *at;     /* what has not been read yet */
    struct pp_error *error;
};

/* Fails at a place in the text. Returns -1. */
__attribute__((format(printf, 3, 4))) int
pp_scan_fail(const struct pp_scan *scan, const char *at, const char *format, ...);

/* The next character that is no space, left where it is; '\0' at the end. */
char pp_scan_peek(struct pp_scan *scan);

/* A metric's name, with [rank] where one of so many ranks is meant. also: names that
 * are valid in its place, told in the message; NULL if none. */
int pp_scan_metric(struct pp_scan *scan, int ranks, const char *also,
                   struct pp_metric_of *of);

/* A number from 0 on, or a quotient of two, as in 3/11. */
int pp_scan_number(struct pp_scan *scan, double *number);

/* The unit behind a number: turns the number into a value of the dimension. Times are
 * whole ns, as clocks count. */
int pp_scan_unit(struct pp_scan *scan, const struct pp_metric *metric, double number,
                 double *value);

#endif
