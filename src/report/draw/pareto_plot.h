/* Memory against bubble as a picture. */
#ifndef PP_REPORT_DRAW_PARETO_PLOT_H
#define PP_REPORT_DRAW_PARETO_PLOT_H

#include "base/error.h"

/* A schedule: what a rank holds at most, in the unit of the axis, and its bubble. */
struct pp_pareto_point {
    const char *name;
    double memory, bubble;
};

struct pp_pareto {
    const char *title, *memory_axis, *bubble_axis;
    const struct pp_pareto_point *points; /* [count] of the catalogue */
    int count;
    const struct pp_pareto_point *found; /* NULL: nothing was searched */
    const struct pp_pareto_point *bound; /* [bound_count] by ascending memory: no order
                                          * within it has a smaller bubble */
    int bound_count;
};

/* As pp_report_plot. */
int pp_pareto_plot(const struct pp_pareto *pareto, const char *path,
                   const char *keep_data, const char *size, struct pp_error *error);

#endif
