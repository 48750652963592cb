/* What changed from one report to another. */
#ifndef PP_REPORT_GATE_CHANGE_H
#define PP_REPORT_GATE_CHANGE_H

#include "report/figure.h"

/* How a figure changed from one report to another; --baseline judges this, and
 * `ppsim compare` prints it. */
struct pp_change {
    const struct pp_figure *figure;
    double before, after;
    struct pp_range before_range, after_range;
    bool beyond_noise; /* the ranges over the steps do not overlap; of figures that are
                        * not measured per step: they differ */
};
struct pp_change pp_change_of(const struct pp_figure *figure,
                              const struct pp_report *before,
                              const struct pp_report *after);

/* Does the option of this key of a config decide the result? Answered by those who know
 * the options. */
typedef bool pp_decides(const char *key);

/* Does the option of this key decide the result, and has the other config another
 * value? Null stands for an option that was not given, or one that the other report
 * does not know. */
bool pp_config_differs(const json_t *other, const char *key, const json_t *value,
                       pp_decides *decides);

#endif
