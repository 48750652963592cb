/* How large a picture is, and its text. Lengths are in px, 1/96 inch, whatever the
 * format; a PNG has more pixels where it is to be printed. */
#ifndef PP_REPORT_DRAW_SIZE_H
#define PP_REPORT_DRAW_SIZE_H

#include "base/error.h"

struct pp_plot_size {
    double width, height; /* px; height 0: as high as what is shown needs */
    double font;          /* px */
    double pixels;        /* of a PNG, per px */
};

/* A size that has a name; pp_plot_sizes ends with a NULL name. */
struct pp_named_size {
    const char *name, *help;
    struct pp_plot_size size;
};
extern const struct pp_named_size pp_plot_sizes[];

/* One of those names, or WIDTHxHEIGHT in pixels or with a unit: "800x600",
 * "12cmx8cm", "120x80mm". PP_BAD_INPUT says what is valid. */
int pp_plot_size_parse(const char *text, struct pp_plot_size *size,
                       struct pp_error *error);

/* The size of numbers within a drawing. */
double pp_plot_small_font(const struct pp_plot_size *size);

/* What a text of so many columns takes, roughly: in px, at a font of so many px. */
double pp_plot_text_width(double columns, double font);

#endif
