/* A sweep: many points, each simulated or run, and the figures of each. A point is a
 * shape, and a value of whatever else varies: a column each. */
#ifndef PP_REPORT_SWEEP_H
#define PP_REPORT_SWEEP_H

#include <stdbool.h>

#include "base/error.h"
#include "report/figure.h"

enum { PP_MOST_COLUMNS = 8, PP_MOST_JUDGED = 16 };

/* What varies beside the shape: an option, or one number in its text. */
struct pp_sweep_column {
    char name[64];   /* in files: "link_latency", "group_size" */
    char label[64];  /* for people: "link latency" */
    char **texts;    /* [count] the different values, as given; owned */
    double *numbers; /* [count] the same in the unit; NULL: no numbers; owned */
    char unit[16];   /* may be empty */
    int count;
};

struct pp_sweep_point {
    char schedule[256]; /* the catalogue's name, or a file's path */
    int ranks, chunks, microbatches;
    int values[PP_MOST_COLUMNS]; /* of each column an index into its texts; -1: the
                                  * point's schedule has no such thing */
    int serial;                  /* the points are numbered as they were listed */
    /* Bubble fractions; NaN where there is none. */
    double theory, simulated, measured, measured_min, measured_max;
    double makespan_s, tokens_per_s;
    double peak_in_flight;         /* the largest of any rank */
    double peak_activation_bytes;  /* likewise; NaN in a simulation */
    double judged[PP_MOST_JUDGED]; /* of each of the sweep's judged figures */
    bool done;                     /* the figures above are set */
    bool passed;                   /* all checks, if there are any */
    /* Otherwise: PP_BAD_INPUT if no such shape is possible, another status if its run
     * failed; and the reason. */
    enum pp_status status;
    char reason[256];
};

/* A figure by which the points are checked, chosen or sorted. */
struct pp_judged {
    const struct pp_figure *figure;
    int rank;                  /* -1: the maximum */
    char name[PP_FIGURE_NAME]; /* "peak_in_flight[2]" */
};

struct pp_sweep {
    struct pp_sweep_column columns[PP_MOST_COLUMNS];
    int column_count;
    struct pp_sweep_point *points; /* [count] owned */
    int count;
    struct pp_judged judged[PP_MOST_JUDGED];
    int judged_count;
    bool checked; /* the points have passed, or not */
    int best;     /* the figure, of judged, that the best point is the best by; -1 */
};

void pp_sweep_release(struct pp_sweep *sweep);

/* The point's text in a column, NULL where it has none. */
const char *pp_sweep_cell(const struct pp_sweep *sweep,
                          const struct pp_sweep_point *point, int column);

/* The best point by the figure (an index into judged), the first of those that are
 * equally good; NULL where no point has a value. Sets *alike, how many others are. */
const struct pp_sweep_point *pp_sweep_best(const struct pp_sweep *sweep, int figure,
                                           int *alike);

/* Writes what tells the point apart: "1f1b, p=4, v=1, m=8, link latency 5us". Returns
 * text. */
enum { PP_POINT_TEXT = 512 };
const char *pp_sweep_point_text(const struct pp_sweep *sweep,
                                const struct pp_sweep_point *point,
                                char text[PP_POINT_TEXT]);

#endif
