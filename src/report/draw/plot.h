/* Pictures of a report, drawn by gnuplot with the scripts of plots/. */
#ifndef PP_REPORT_DRAW_PLOT_H
#define PP_REPORT_DRAW_PLOT_H

#include "report/report.h"

struct pp_plot; /* plot_data.h: a picture being drawn */

/* A kind of picture. script is what gnuplot runs; draw writes the script's settings and
 * data. */
struct pp_picture {
    const char *name, *help;
    const char *script;
    int (*draw)(struct pp_plot *plot);
};

/* Ended by a NULL name. */
extern const struct pp_picture pp_pictures[];

/* By name; NULL with the error set (PP_BAD_INPUT) if there is none. */
const struct pp_picture *pp_picture_find(const char *name, struct pp_error *error);

/* Draws one of them to path (.svg, .png or .pdf). keep_data: a directory where script,
 * settings and data are left for editing; NULL: nowhere. PP_BAD_INPUT for an unknown
 * picture or extension, or where the report holds no timeline; PP_ENVIRONMENT where
 * gnuplot is missing or fails. */
int pp_report_plot(const struct pp_report *report, const char *picture,
                   const char *path, const char *keep_data, struct pp_error *error);

/* Writes what gnuplot reads, without starting it; used by tests. */
struct pp_plot_directory;
int pp_report_plot_data(const struct pp_report *report, const char *picture,
                        const char *path, struct pp_plot_directory *directory,
                        struct pp_error *error);

#endif
