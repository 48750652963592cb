/* Where two reports of one shape differ: what a failed gate points at. */
#ifndef PP_REPORT_GATE_WHERE_H
#define PP_REPORT_GATE_WHERE_H

#include "report/report.h"

/* Says of which rank and op on the order of ops differs: "the order differs from rank
 * 1's op 2 on: it is 1F1 (…), in the baseline 1B0", where `then` is "in the baseline".
 * Returns that rank, the first; -1 where all do the same, or where a report holds no
 * ops. Both have the same ranks. */
int pp_where_reordered(const struct pp_report *before, const struct pp_report *after,
                       const char *then, char *text, size_t size);

struct pp_where {
    int rank;       /* that changed most; -1: nothing changed */
    int reordered;  /* the first rank whose order changed; -1: none, or unknown */
    char text[512]; /* that rank and its op, what changed and by how much */
};

/* The op whose end came later than its rank's op before it by another time than in
 * `before` (that is, its own time and the wait before it): the one for which the two
 * differ most; and where the order of ops differs, the first rank and op of which it
 * does. Where a report holds no timeline, the rank whose idle time changed most.
 * Both have the same ranks, stages and microbatches. PP_ENVIRONMENT when out of memory.
 */
int pp_where_changed(struct pp_where *where, const struct pp_report *before,
                     const struct pp_report *after, struct pp_error *error);

#endif
