/* Why theory, prediction and measurement differ, in a sentence each. */
#ifndef PP_REPORT_DIFFERENCES_H
#define PP_REPORT_DIFFERENCES_H

#include "report/report.h"

/* The rank whose stages take longest per microbatch, and how far above the mean of the
 * ranks (0.12: 12 %). Rank -1 where the report holds no costs. */
struct pp_slowest {
    int rank;
    double ns; /* per microbatch, medians of all its stages' ops */
    double above_mean;
};
struct pp_slowest pp_slowest_rank(const struct pp_report *report);

/* "rank 0 had 53% of its core, others the rest", of the rank that had least; empty
 * where pp_report_shared_core says no. */
enum { PP_SHARE_TEXT = 80 };
const char *pp_core_share_text(const struct pp_report *report,
                               char text[PP_SHARE_TEXT]);

/* Writes the sentence, without a line end; empty where the two agree within 0.005 or
 * one is unknown. Where a rank shared its core, also for a makespan that is larger than
 * predicted. */
void pp_why_not_theory(const struct pp_report *report, char *text, size_t size);
void pp_why_not_predicted(const struct pp_report *report, char *text, size_t size);

#endif
