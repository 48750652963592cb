/* Verdicts of checks and baselines, and the formats that CI systems read. */
#ifndef PP_REPORT_GATE_VERDICT_H
#define PP_REPORT_GATE_VERDICT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

enum pp_outcome {
    PP_PASS,
    PP_FAIL,
    PP_NOT_JUDGED /* what it is held against does not know it */
};

struct pp_verdict {
    char name[160]; /* what was judged: a figure, or an expression of one */
    enum pp_outcome outcome;
    /* Value, bound, range: one line. Or an error's lines, of what kept it from being
     * judged. */
    char finding[sizeof(((struct pp_error *)NULL)->text)];
    int rank; /* that it is about; -1: none */
};

struct pp_verdicts {
    const struct pp_verdict *items; /* [count] */
    int count;
    const char *file; /* the schedule's, which has a row per rank; or NULL */
    const char *note; /* what is to be known of all of them; or NULL */
    /* Printed where something failed; or NULL. */
    const char *where; /* what changed most, and on which rank; -1: none */
    int where_rank;
    int changed_row;   /* of the file, from 1: the first whose order changed; or 0 */
    const char *rerun; /* the command that judges again */
    const char *go_on; /* the commands that say more */
    bool color;        /* in text: FAIL is red and pass green */
};

/* A way to print verdicts. */
struct pp_verdict_format {
    const char *name, *help;
    void (*print)(const struct pp_verdicts *verdicts, FILE *stream);
    bool for_people; /* other text may stand beside it */
    bool of_lines;   /* its lines may stand among other text */
};

/* Ended by a NULL name. */
extern const struct pp_verdict_format pp_verdict_formats[];

/* By name, of length characters; NULL if there is none. */
const struct pp_verdict_format *pp_verdict_format_find(const char *name, size_t length);

/* How many have this outcome. */
int pp_verdicts_count(const struct pp_verdicts *verdicts, enum pp_outcome outcome);

/* Makes the error a verdict: what should have been judged could not be. */
void pp_verdict_of_error(struct pp_verdict *verdict, const struct pp_error *error);

#endif
