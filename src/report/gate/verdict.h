/* Verdicts of checks and baselines, and the formats that CI systems read. */
#ifndef PP_REPORT_GATE_VERDICT_H
#define PP_REPORT_GATE_VERDICT_H

#include <stdbool.h>
#include <stdio.h>

struct pp_verdict {
    char name[160]; /* what was judged: a figure, or an expression of one */
    bool passed;
    char finding[400]; /* value, bound, range: one line */
};

/* A way to print verdicts. command reruns what was judged; it is printed where
 * something failed. */
struct pp_verdict_format {
    const char *name, *help;
    void (*print)(const struct pp_verdict *verdicts, int count, const char *command,
                  FILE *stream);
    bool for_people; /* other text may stand beside it */
};

/* Ended by a NULL name. */
extern const struct pp_verdict_format pp_verdict_formats[];

/* By name; NULL if there is none. */
const struct pp_verdict_format *pp_verdict_format_find(const char *name);

#endif
