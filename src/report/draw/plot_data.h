/* The data of the pictures: what gnuplot reads beside a script and its settings. Each
 * function writes one file of the plot's directory, columns as the head of the script
 * in plots/ says. -1 with plot->error set where it cannot. */
#ifndef PP_REPORT_DRAW_PLOT_DATA_H
#define PP_REPORT_DRAW_PLOT_DATA_H

#include "report/draw/gnuplot.h"
#include "report/layout.h"
#include "report/numbers.h"

/* Timelines of more ops are thinned, and the picture says so. */
enum { PP_PLOT_MOST_OPS = 20000 };

enum { PP_PLOT_WIDTH = 1200 }; /* pixels */

/* A picture being drawn. */
struct pp_plot {
    const struct pp_report *report;
    struct pp_plot_directory *directory;
    const char *picture, *path;
    struct pp_error *error;
    struct pp_time_unit unit; /* of the time axis */
    struct pp_layout layout;  /* rows, and the cells where the ops are too many */
    bool thinned;
    int points_of; /* the step that the points are of, where there are several; 0: only
                      one */
    bool lighter;  /* odd chunks have colours of their own */
    bool seen[PP_KINDS]; /* the kinds of op in the step */
};

/* The colour of the k-th op, 0xRRGGBB. */
int pp_plot_colour(const struct pp_plot *plot, size_t k);

/* The most that any rank holds in flight, in microbatches of a whole rank. */
double pp_plot_highest_peak(const struct pp_report *report);

/* The timeline. */
int pp_plot_write_rows(struct pp_plot *plot, const char *name);
int pp_plot_write_ops(struct pp_plot *plot);
int pp_plot_write_labels(struct pp_plot *plot);
int pp_plot_write_path(struct pp_plot *plot);

/* Activations in flight. */
int pp_plot_write_in_flight(struct pp_plot *plot);
int pp_plot_write_peaks(struct pp_plot *plot);

/* Op times. */
int pp_plot_write_op_times(struct pp_plot *plot);
int pp_plot_write_costs(struct pp_plot *plot);

#endif
