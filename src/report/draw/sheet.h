/* What all pictures have around what they draw: a title, a legend below it, panels
 * under one another, each with a caption or the last one alone. It is laid out here and
 * not by gnuplot, so that a picture of any width and font keeps all of it. Lengths in
 * px, from the picture's upper left corner. */
#ifndef PP_REPORT_DRAW_SHEET_H
#define PP_REPORT_DRAW_SHEET_H

#include <stdbool.h>
#include <stdio.h>

#include "report/draw/size.h"

/* In the order of the legend. */
enum pp_mark {
    PP_MARK_BOX,
    PP_MARK_SERIES, /* a line with points on it */
    PP_MARK_POINT,
    PP_MARK_LINE,
    PP_MARK_DASHES
};

enum { PP_MOST_LEGEND = 40, PP_MOST_PLOTTED = 16, PP_SHEET_TEXT = 512 };

/* A panel: what it needs, then where it is. */
struct pp_panel {
    char title[PP_SHEET_TEXT];
    char axis[PP_SHEET_TEXT]; /* what the axis shows, below the last panel */
    char note[PP_SHEET_TEXT]; /* behind it, or below a panel that is not the last */
    double wanted;            /* height of what is drawn */
    double left_margin, right_margin;
    double left, right, top, bottom;
};

struct pp_legend {
    enum pp_mark mark;
    int colour, point,
        dash; /* 0xRRGGBB; gnuplot's point and dash types, dash 0: solid */
    char text[160];
};

struct pp_sheet {
    struct pp_plot_size size;
    double height; /* set by pp_sheet_arrange */
    struct pp_legend legend[PP_MOST_LEGEND];
    int legend_count;
    struct pp_panel panels[PP_MOST_PLOTTED];
    int panel_count;
};

/* Adds to the legend what it does not hold yet. */
void pp_sheet_explain(struct pp_sheet *sheet, enum pp_mark mark, int colour, int point,
                      const char *text);

/* The same for a line with dashes and points. */
void pp_sheet_explain_series(struct pp_sheet *sheet, int colour, int point, int dash,
                             const char *text);

/* The width of what a panel draws. */
double pp_sheet_width(const struct pp_sheet *sheet, const struct pp_panel *panel);

/* Places the panels. Where the sheet's height is given they share it in proportion to
 * what they want; PP_BAD_INPUT where none is left for them. */
int pp_sheet_arrange(struct pp_sheet *sheet, struct pp_error *error);

/* Writes the legend, and the title above it where there is one panel. path: of the
 * picture, for the unit of its fonts. */
void pp_sheet_put_head(const struct pp_sheet *sheet, const char *path, FILE *settings);
/* Writes a panel's margins, axis label, and title where there are several. */
void pp_sheet_put_panel(const struct pp_sheet *sheet, int index, const char *path,
                        FILE *settings);

#endif
