#include "report/draw/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"

#define INCH 96.0
#define CM (INCH / 2.54)
#define POINT (INCH / 72)
#define PRINTED (300 / INCH)

const struct pp_named_size pp_plot_sizes[] = {
    {"screen", "1200 pixels wide", {1200, 0, 14, 1}},
    {"column", "8.5 cm wide, text of 8 pt", {8.5 * CM, 0, 8 * POINT, PRINTED}},
    {"page", "17 cm wide, text of 9 pt", {17 * CM, 0, 9 * POINT, PRINTED}},
    {"slide", "16:9", {1280, 720, 20, 1.5}},
    {0},
};

static const struct {
    const char *name;
    double px;
} units[] = {{"px", 1},    {"cm", CM},    {"mm", CM / 10},
             {"in", INCH}, {"pt", POINT}, {NULL, 0}};

/* Reads "12cm": the number, and the px of its unit, 0 where there is none. Returns
 * where it ends, NULL where it is no length. */
static const char *read_length(const char *text, double *number, double *unit)
{
    char *end;
    *unit = 0;
    *number = strtod(text, &end);
    if (end == text || !(*number > 0))
        return NULL;
    for (int i = 0; units[i].name; i++) {
        size_t length = strlen(units[i].name);
        if (strncmp(end, units[i].name, length) == 0) {
            *unit = units[i].px;
            return end + length;
        }
    }
    return end;
}

/* Text grows with a picture in pixels; what is printed has 8 pt. */
static struct pp_plot_size size_of(double width, double height, bool printed)
{
    double font = fmin(fmax(width / 85, 8 * POINT), 22);
    return (struct pp_plot_size){width, height, printed ? 8 * POINT : font,
                                 printed ? PRINTED : 1};
}

static bool read_lengths(const char *text, struct pp_plot_size *size)
{
    double width, height, x_unit, y_unit;
    /* strtod would take "0x600" for one number. */
    const char *at =
        strncmp(text, "0x", 2) == 0 ? NULL : read_length(text, &width, &x_unit);
    if (!at || *at != 'x' || !(at = read_length(at + 1, &height, &y_unit)) || *at)
        return false;
    if (x_unit <= 0)
        x_unit = y_unit; /* 85x60mm */
    double y_px = height * (y_unit > 0 ? y_unit : x_unit > 0 ? x_unit : 1);
    double x_px = width * (x_unit > 0 ? x_unit : 1);
    *size = size_of(x_px, y_px, x_unit > 0 && x_unit != units[0].px);
    return isfinite(x_px) && isfinite(y_px);
}

int pp_plot_size_parse(const char *text, struct pp_plot_size *size,
                       struct pp_error *error)
{
    const double least = 150, most = 20000;
    char names[128] = "";
    for (const struct pp_named_size *row = pp_plot_sizes; row->name; row++) {
        if (strcmp(row->name, text) == 0) {
            *size = row->size;
            return 0;
        }
        pp_append(names, sizeof names, "%s, ", row->name);
    }
    if (!read_lengths(text, size))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--size' must be %sor a width and height such as 800x600, "
                       "12cmx8cm or 120x80mm (units: px, cm, mm, in, pt), not '%s'",
                       names, text);
    if (fmin(size->width, size->height) < least ||
        fmax(size->width, size->height) > most)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--size' %s: each side must be from %g px (%.1f cm) to %g px "
                       "(%.0f cm)",
                       text, least, least / CM, most, most / CM);
    return 0;
}

double pp_plot_small_font(const struct pp_plot_size *size)
{
    return fmax(0.8 * size->font, 7 * POINT);
}

double pp_plot_text_width(double columns, double font)
{
    return 0.6 * columns * font; /* of DejaVu Sans, which is a wide one */
}
