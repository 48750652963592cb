/* The data of the pictures: what gnuplot reads beside a script and its settings. Each
 * function writes one file of the plot's directory, columns as the head of the script
 * in plots/ says. -1 with plot->error set where it cannot. */
#ifndef PP_REPORT_DRAW_PLOT_DATA_H
#define PP_REPORT_DRAW_PLOT_DATA_H

#include "report/draw/gnuplot.h"
#include "report/draw/sheet.h"
#include "report/layout.h"
#include "report/numbers.h"

/* Timelines of more ops are thinned, and the picture says so. */
enum { PP_PLOT_MOST_OPS = 20000 };

/* What the panels of a picture have in common, so that they can be compared. */
struct pp_plot_axis {
    double makespan; /* ns, the longest */
    double op;       /* ns, the longest */
    double idle;     /* the most idle time of a rank, as a share of its makespan */
    double peak;     /* the most that any rank holds in flight, in whole microbatches */
    double late,
        early; /* ns, the most that an op starts after its prediction, before */
};

/* A panel being drawn. */
struct pp_plot {
    const struct pp_report *report;
    const struct pp_timeline *predicted;
    struct pp_plot_directory *directory;
    struct pp_sheet *sheet;
    struct pp_panel *panel; /* of the sheet */
    const char *path;       /* of the picture */
    char prefix[16];        /* of the names of its data */
    struct pp_error *error;
    const struct pp_plot_axis *axis;
    struct pp_time_unit unit; /* of times */
    struct pp_layout layout;  /* rows, and the cells where the ops are too many */
    bool thinned;
    bool seen[PP_KINDS]; /* the kinds of op in the step */
};

/* The colour of the k-th op, 0xRRGGBB; and of a rank's line. */
int pp_plot_colour(const struct pp_plot *plot, size_t k);
int pp_plot_rank_colour(int rank, int ranks);

/* The height of a row, in px. */
double pp_plot_row_height(const struct pp_plot *plot);

/* The most that any rank holds in flight, in microbatches of a whole rank. */
double pp_plot_highest_peak(const struct pp_report *report);

/* By how much op k started after its prediction, in ns; both steps begin at 0. */
double pp_plot_late(const struct pp_report *report, const struct pp_timeline *predicted,
                    size_t k);

/* The timeline. */
int pp_plot_write_rows(struct pp_plot *plot, const char *name);
int pp_plot_write_ops(struct pp_plot *plot);
int pp_plot_write_labels(struct pp_plot *plot);
int pp_plot_write_path(struct pp_plot *plot);
int pp_plot_write_bound(struct pp_plot *plot);

/* Activations in flight. */
int pp_plot_write_in_flight(struct pp_plot *plot);
int pp_plot_write_peaks(struct pp_plot *plot);

/* Op times. */
int pp_plot_write_op_times(struct pp_plot *plot);
int pp_plot_write_costs(struct pp_plot *plot);

/* Idle time by cause. */
enum { PP_CAUSES = 5 };
int64_t pp_plot_cause(const struct pp_causes *causes, int cause);
int pp_plot_write_causes(struct pp_plot *plot);

/* Measured against predicted. */
int pp_plot_write_late(struct pp_plot *plot);

#endif
