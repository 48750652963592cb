/* --check: an expression that a report must satisfy.
 *
 *     FIGURE [ '[' RANK ']' ] OP NUMBER [UNIT]
 *
 * OP is <= >= < > or == (exactly equal). A fraction may carry '%', bytes a unit
 * of base/units.h; a time carries one, unless it is 0. */
#ifndef PP_REPORT_GATE_CHECK_H
#define PP_REPORT_GATE_CHECK_H

#include "report/figure.h"
#include "report/gate/verdict.h"

enum pp_comparison { PP_LE, PP_GE, PP_EQ, PP_LT, PP_GT };

struct pp_check {
    const char *text; /* borrowed */
    const struct pp_figure *figure;
    int rank; /* -1: the maximum */
    enum pp_comparison comparison;
    double bound;
};

/* option is its name, "check", for messages. PP_BAD_INPUT names the column (from 1) and
 * what would be valid there; a rank must be below ranks. */
int pp_check_parse(struct pp_check *check, const char *option, const char *text,
                   int ranks, struct pp_error *error);

/* Does the value satisfy it? An unknown one (NaN) does not. */
bool pp_check_holds(const struct pp_check *check, double value);

/* Says so in words, with the value's range over so many steps. */
void pp_check_verdict(const struct pp_check *check, double value, struct pp_range range,
                      int steps, struct pp_verdict *verdict);

/* The same, of the report's value. */
void pp_check_judge(const struct pp_check *check, const struct pp_report *report,
                    struct pp_verdict *verdict);

#endif
