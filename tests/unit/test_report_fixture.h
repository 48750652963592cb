/* Reports to test with: simulated, of any schedule of the catalogue. */
#ifndef PP_TESTS_REPORT_FIXTURE_H
#define PP_TESTS_REPORT_FIXTURE_H

#include "report/report.h"

struct fixture {
    const char *schedule;
    int ranks, chunks, microbatches;
    int steps;
    int64_t latency;   /* ns of a hop */
    double jitter;     /* as struct pp_costs */
    double last_stage; /* factor on the last stage's ops */
    double core_share; /* that rank 0 has, the others having all of theirs; 0: CPU times
                        * are not counted */
    int groups, prompt_chunks; /* of a schedule that decodes */
};

/* Forward 1 ms and backward 2 ms per rank. Ends the program on any error. */
void fixture_report(struct pp_report *report, const struct fixture *fixture);

#endif
