/* The figures of a report, by the names that checks, baselines and comparisons use. */
#ifndef PP_REPORT_FIGURE_H
#define PP_REPORT_FIGURE_H

#include "base/scan.h"
#include "report/report.h"

enum pp_figure_unit {
    PP_FRACTION,
    PP_SECONDS,
    PP_BYTES,
    PP_COUNT,
    PP_MEMORY, /* of --memory: bytes, or microbatches */
    PP_RATE,
    PP_NATS
};

struct pp_figure {
    const char *name;
    enum pp_figure_unit unit;
    bool per_rank;     /* may be followed by [rank]; without, the maximum */
    bool higher_worse; /* false: lower is */
    double (*value)(const struct pp_report *report, int rank);
    bool above_one;      /* a fraction that may be more than 1 */
    const char *unknown; /* why it may be so, and what gives it; NULL: only where there
                          * is no such rank */
};

/* All figures, ended by a NULL name. Causes are fractions of ranks * makespan, like
 * bubble, which they add up to. */
extern const struct pp_figure pp_figures[];

/* Why it has no value, and what gives one. */
const char *pp_figure_why_unknown(const struct pp_figure *figure);

/* Is it made of times? Then it is only as true as they are. */
bool pp_figure_of_times(const struct pp_figure *figure);

/* By name; NULL if there is none. length may be less than the text's. */
const struct pp_figure *pp_figure_find(const char *name, size_t length);
/* The figure whose name comes next in an option's text; fails where there is none. */
int pp_figure_scan(struct pp_scanner *scanner, const struct pp_figure **figure);
/* "[2]" behind the name of a figure that has a value per rank, if it is there: sets
 * *rank, which must be below ranks. */
int pp_figure_scan_rank(struct pp_scanner *scanner, const struct pp_figure *figure,
                        int ranks, int *rank);
/* The unit of a number that was read, of those the figure takes: of time, which only
 * 0 may lack, of bytes, '%' of fractions. Makes *value one of the figure. */
int pp_figure_scan_unit(struct pp_scanner *scanner, const struct pp_figure *figure,
                        double *value);

/* The value, of one rank or (rank -1) the maximum of all; NaN where unknown. */
double pp_figure_value(const struct pp_figure *figure, const struct pp_report *report,
                       int rank);

/* Smallest and largest over the measured steps; both the value where a figure is not
 * measured per step. */
struct pp_range {
    double low, high;
};
struct pp_range pp_figure_range(const struct pp_figure *figure,
                                const struct pp_report *report, int rank);

/* "peak_in_flight[2]"; without the rank where it is -1. */
enum { PP_FIGURE_NAME = 64 };
const char *pp_figure_name(const struct pp_figure *figure, int rank,
                           char text[PP_FIGURE_NAME]);

/* The value with its unit, "0.0861", "12.3 ms". */
enum { PP_FIGURE_TEXT = 48 };
const char *pp_figure_text(const struct pp_figure *figure, double value,
                           char text[PP_FIGURE_TEXT]);

/* ", 0.0861 to 0.0873 over 8 steps", or nothing where there is no range. */
enum { PP_RANGE_TEXT = 3 * PP_FIGURE_TEXT };
const char *pp_range_text(const struct pp_figure *figure, struct pp_range range,
                          int steps, char text[PP_RANGE_TEXT]);

/* Both values, with as many digits as it takes for them to differ. */
void pp_figure_texts(const struct pp_figure *figure, double a, double b,
                     char text_a[PP_FIGURE_TEXT], char text_b[PP_FIGURE_TEXT]);

#endif
