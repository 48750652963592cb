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

enum pp_verdict_format {
    PP_VERDICT_TEXT,
    PP_VERDICT_TAP,   /* version 13, which all readers know: https://testanything.org */
    PP_VERDICT_JUNIT, /* XML, as Jenkins and GitLab read it */
    PP_VERDICT_GHA,   /* GitHub Actions workflow commands */
    PP_VERDICT_MARKDOWN, /* a table, for a job summary */
};

/* command reruns what was judged; it is printed where something failed. */
void pp_verdicts_print(const struct pp_verdict *verdicts, int count,
                       enum pp_verdict_format format, const char *command,
                       FILE *stream);

#endif
