/* Where the time went, in words: critical path, causes, each rank's longest gaps. */
#ifndef PP_REPORT_PRINT_EXPLAIN_H
#define PP_REPORT_PRINT_EXPLAIN_H

#include "report/report.h"

/* The ops that limit the step most: a tenth faster, they would shorten it most. */
struct pp_speedup {
    bool known;
    int stage;
    enum pp_kind kind;
    double saves_s; /* of the makespan; 0: no single stage limits the step */
};

/* Prints the explanation; speedup NULL: without it. PP_BAD_INPUT where the report holds
 * no timeline, PP_ENVIRONMENT when out of memory; nothing is printed then. */
int pp_report_print_explain(const struct pp_report *report,
                            const struct pp_speedup *speedup, FILE *stream,
                            struct pp_error *error);

#endif
