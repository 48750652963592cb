/* --tolerance: what is compared with a baseline, and how much worse it may be.
 *
 *     [FIGURE [ '[' RANK ']' ] '='] NUMBER [UNIT | '%' | 'pp'] , ... | both
 *
 * '%' is relative to the baseline; all else is absolute, in a unit of the figure, 'pp'
 * (percentage points) of fractions. A number alone is bubble's. */
#ifndef PP_REPORT_GATE_TOLERANCE_H
#define PP_REPORT_GATE_TOLERANCE_H

#include "report/figure.h"

enum { PP_MOST_TOLERANCES = 32 };

struct pp_tolerance {
    const struct pp_figure *figure;
    int rank; /* -1: every rank that has no tolerance of its own */
    double amount;
    bool relative;
    bool by_default; /* nobody asked for it */
};

struct pp_tolerances {
    struct pp_tolerance items[PP_MOST_TOLERANCES];
    int count;
    bool both; /* better by more fails too */
};

/* Always among them, unless given otherwise: bubble 0.01, peak_in_flight and
 * peak_activation_bytes of every rank 0, and of a simulation, whose times are exact,
 * makespan 0.1%. text is NULL where none was given; a rank must be below ranks.
 * PP_BAD_INPUT names the column. */
int pp_tolerances_parse(struct pp_tolerances *tolerances, const char *text, int ranks,
                        bool simulated, struct pp_error *error);

/* Is this the tolerance of the rank (-1: of a figure that has none)? An item of a rank
 * goes before one of every rank. */
bool pp_tolerance_is_of(const struct pp_tolerances *tolerances,
                        const struct pp_tolerance *item, int rank);

#endif
