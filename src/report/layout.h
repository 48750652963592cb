/* A timeline laid out as a grid of cells: rows of ranks, columns of equal time. All
 * pictures are drawn from it or by its rules, so that they agree. */
#ifndef PP_REPORT_LAYOUT_H
#define PP_REPORT_LAYOUT_H

#include "report/report.h"

/* What a cell shows. Where a cell holds several kinds of op, a row shows each, and the
 * bubble, in proportion to its time. */
struct pp_cell {
    bool busy;
    enum pp_kind kind;
    size_t op; /* the op of that kind that takes most of it */
};

struct pp_layout {
    const struct pp_report *report; /* borrowed */
    int rows, columns;
    int ranks_per_row;     /* 1 where all ranks have a row of their own */
    double column_ns;      /* the time one column stands for */
    size_t short_ops;      /* ops shorter than a column */
    struct pp_cell *cells; /* [rows][columns], owned */
};

/* Lays out the report's timeline (which it must hold) on at most most_rows rows.
 * PP_ENVIRONMENT when out of memory. */
int pp_layout_init(struct pp_layout *layout, const struct pp_report *report,
                   int most_rows, int columns, struct pp_error *error);
void pp_layout_release(struct pp_layout *layout);

/* The distance between the marks of an axis of this length so that at most most of
 * them fit: 1, 2 or 5 times a power of ten. */
double pp_axis_step(double length, int most);

#endif
