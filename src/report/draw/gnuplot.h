/* The one place that starts gnuplot. A picture is made in a directory of its own: the
 * script, its settings and its data are written there, gnuplot draws the picture beside
 * them, and when it is complete it is copied to the path that was asked for. A user who
 * keeps the directory can edit the script and run gnuplot there again. */
#ifndef PP_REPORT_DRAW_GNUPLOT_H
#define PP_REPORT_DRAW_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/folder.h"
#include "report/draw/size.h"

struct pp_plot_directory {
    struct pp_folder folder;
    bool temporary; /* removed in the end, with the files */
    int caught;     /* a signal that stopped gnuplot; release ends with it */
};

/* keep: the directory to write to, made if need be; NULL: one under $TMPDIR.
 * PP_BAD_INPUT where it cannot be made. */
int pp_plot_directory_init(struct pp_plot_directory *directory, const char *keep,
                           struct pp_error *error);
/* Removes a temporary directory with what was written there. Then raises the signal
 * that stopped gnuplot, if one did. */
void pp_plot_directory_release(struct pp_plot_directory *directory);

/* Opens a file of the directory for writing; pp_plot_file_close says whether all was
 * written. PP_ENVIRONMENT. */
FILE *pp_plot_file_open(struct pp_plot_directory *directory, const char *name,
                        struct pp_error *error);
int pp_plot_file_close(struct pp_plot_directory *directory, FILE *stream,
                       struct pp_error *error);

/* Is the path one of a picture that can be drawn (.svg, .png, .pdf)? PP_BAD_INPUT. */
int pp_plot_path_check(const char *path, struct pp_error *error);

/* Writes the head of a script's settings: terminal, size, output file NAME with the
 * extension of path. height: in px, as the size's. */
void pp_plot_put_terminal(FILE *settings, const char *name, const char *path,
                          const struct pp_plot_size *size, double height);
/* A font of so many px, as the terminal of that picture counts it. */
double pp_plot_font(const char *path, double font);
/* Writes 'text', quoted for gnuplot; and name = 'text'. */
void pp_plot_put_quoted(FILE *settings, const char *text);
void pp_plot_put_text(FILE *settings, const char *name, const char *text);

/* Runs NAME.gp in the directory, which draws NAME with the extension of path, and
 * copies that picture to path ("-" is not possible). PP_ENVIRONMENT where gnuplot is
 * missing or fails, with its message. */
int pp_gnuplot(struct pp_plot_directory *directory, const char *name, const char *path,
               struct pp_error *error);

#endif
