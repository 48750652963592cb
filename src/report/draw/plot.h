/* Pictures of reports, drawn by gnuplot with the scripts of plots/. */
#ifndef PP_REPORT_DRAW_PLOT_H
#define PP_REPORT_DRAW_PLOT_H

#include "report/draw/sheet.h"
#include "report/report.h"

struct pp_plot; /* plot_data.h: a panel being drawn */

/* A kind of picture. script is what gnuplot runs; plan says what the panel of a report
 * needs and adds to the legend; write writes the panel's settings and data. */
struct pp_picture {
    const char *name, *help;
    const char *script;
    void (*plan)(struct pp_plot *plot);
    int (*write)(struct pp_plot *plot, FILE *settings);
    bool timeline;  /* it shows the report's timeline */
    bool predicted; /* it shows the predicted timeline too */
};

/* Ended by a NULL name. */
extern const struct pp_picture pp_pictures[];

/* By name; NULL with the error set (PP_BAD_INPUT) if there is none. */
const struct pp_picture *pp_picture_find(const char *name, struct pp_error *error);

/* What is to be drawn. Several reports are panels with a common axis. */
struct pp_plot_request {
    const char *picture;
    const char *path;                    /* .svg, .png or .pdf */
    const char *keep_data;               /* a directory where script, settings and data
                                          * are left for editing; NULL: nowhere */
    const char *size;                    /* as pp_plot_size_parse reads it */
    const struct pp_report *reports;     /* [count] */
    const struct pp_timeline *predicted; /* [count] where the picture shows it */
    int count;                           /* 1 to PP_MOST_PLOTTED */
};

/* PP_BAD_INPUT for an unknown picture, extension or size, for a size with no room, or
 * where the picture needs a timeline that a report does not hold; PP_ENVIRONMENT where
 * gnuplot is missing or fails. */
int pp_report_plot(const struct pp_plot_request *request, struct pp_error *error);

/* Writes what gnuplot reads, without starting it; used by tests. */
struct pp_plot_directory;
int pp_report_plot_data(const struct pp_plot_request *request,
                        struct pp_plot_directory *directory, struct pp_error *error);

#endif
