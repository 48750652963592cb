/* The figures of a report that checks, baselines and comparisons name. */
#ifndef PP_REPORT_METRIC_H
#define PP_REPORT_METRIC_H

#include "report/report.h"

/* What a metric counts, and the unit of its values here. */
enum pp_dimension {
    PP_SHARE, /* a fraction of 1 */
    PP_TIME,  /* ns */
    PP_BYTES,
    PP_COUNT, /* of anything */
};

/* A unit in which people may give a value: value = number * multiply / divide. Both,
 * so that 7% is the same double as 0.07. */
struct pp_scale {
    const char *name; /* "" where a bare number is meant; NULL ends a list */
    double multiply, divide;
};

struct pp_metric {
    const char *name, *alias; /* alias: NULL where there is none */
    enum pp_dimension dimension;
    bool timed;          /* rests on the clock */
    bool of_ranks;       /* may be asked for of one rank; else the most of any */
    bool more_is_better; /* of two values, is the larger one the better? */
    double (*value)(const struct pp_report *report, int rank);
    /* Of one step; NULL where steps do not record it. */
    double (*of_step)(const struct pp_report *report, const struct pp_step *step);
    const char *(*unknown)(const struct pp_report *report); /* why it may be */
};

/* A metric, and of which rank; -1: of all. */
struct pp_metric_of {
    const struct pp_metric *metric;
    int rank;
};

/* A value with its range over the measured steps. */
struct pp_figure {
    double value;    /* NaN: unknown */
    double min, max; /* NaN where steps do not record it, or where one measured step
                      * shows no range; a simulation without noise has a range of one
                      * point */
    int steps;       /* that the range is over */
};

/* All metrics, ended by one without a name. */
extern const struct pp_metric pp_metrics_table[];

/* The metric of that name or alias, length characters; NULL if there is none. */
const struct pp_metric *pp_metric_find(const char *name, size_t length);

struct pp_figure pp_metric_figure(struct pp_metric_of of,
                                  const struct pp_report *report);

/* The units of a dimension, the first being that of a bare number. */
const struct pp_scale *pp_scales(enum pp_dimension dimension);

/* "bubble", "peak_in_flight[2]". Returns buffer. */
enum { PP_METRIC_TEXT = 48 };
char *pp_metric_name(struct pp_metric_of of, char buffer[PP_METRIC_TEXT]);

/* A value for people, "unknown" where it is not finite; exact: with every digit, as
 * where a value and a bound would look the same. Returns buffer. */
char *pp_metric_text(enum pp_dimension dimension, double value, bool exact,
                     char buffer[PP_METRIC_TEXT]);

/* "0.2701 to 0.2803 over 8 steps"; empty without a range of several steps. */
enum { PP_RANGE_TEXT = 2 * PP_METRIC_TEXT + 32 };
char *pp_range_text(enum pp_dimension dimension, const struct pp_figure *figure,
                    char buffer[PP_RANGE_TEXT]);

#endif
