#include "report/draw/sheet.h"

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "base/wrap.h"
#include "report/draw/gnuplot.h"

/* Distances, as multiples of the font. */
static const double edge = 0.5, line = 1.45, gap = 0.7, sample = 1.6, between = 1.4,
                    tics = 1.9, title_font = 1.15;

static void add_entry(struct pp_sheet *sheet, const struct pp_legend *entry,
                      const char *text)
{
    for (int i = 0; i < sheet->legend_count; i++) {
        if (strcmp(sheet->legend[i].text, text) == 0)
            return;
    }
    if (sheet->legend_count == PP_MOST_LEGEND)
        return;
    int i = sheet->legend_count++;
    for (; i > 0 && sheet->legend[i - 1].mark > entry->mark; i--)
        sheet->legend[i] = sheet->legend[i - 1];
    sheet->legend[i] = *entry;
    pp_assign(sheet->legend[i].text, sizeof sheet->legend[i].text, "%s", text);
}

void pp_sheet_explain(struct pp_sheet *sheet, enum pp_mark mark, int colour, int point,
                      const char *text)
{
    add_entry(sheet,
              &(struct pp_legend){.mark = mark, .colour = colour, .point = point},
              text);
}

void pp_sheet_explain_series(struct pp_sheet *sheet, int colour, int point, int dash,
                             const char *text)
{
    const struct pp_legend entry = {
        .mark = PP_MARK_SERIES, .colour = colour, .point = point, .dash = dash};
    add_entry(sheet, &entry, text);
}

/* The bytes of the text's first line of at most so many columns: it ends behind a " ·
 * ", or else a blank, or else wherever it has to. */
static size_t first_line(const char *text, int most)
{
    size_t length = strlen(text), blank = 0, item = 0, bytes = 0;
    if (pp_columns(text, length) <= most)
        return length;
    for (bytes = 0; bytes < length; bytes++) {
        if (pp_columns(text, bytes) > most)
            break;
        if (text[bytes] == ' ')
            blank = bytes;
        if (strncmp(text + bytes, " · ", 4) == 0)
            item = bytes;
    }
    if (item > 0)
        return item;
    return blank > 0 ? blank : pp_whole_characters(text, bytes - 1);
}

/* What is left of the text behind its first line. */
static const char *next_line(const char *text, size_t length)
{
    text += length;
    if (strncmp(text, " · ", 4) == 0)
        return text + 4;
    return text + strspn(text, " ");
}

static int columns_of(const struct pp_sheet *sheet, double font)
{
    double most = (sheet->size.width - 2 * edge * font) / pp_plot_text_width(1, font);
    return most < 8 ? 8 : (int)most;
}

static int count_lines(const struct pp_sheet *sheet, const char *text, double font)
{
    int lines = 0;
    while (*text) {
        text = next_line(text, first_line(text, columns_of(sheet, font)));
        lines++;
    }
    return lines;
}

static double item_width(const struct pp_sheet *sheet, int i)
{
    const char *text = sheet->legend[i].text;
    double font = sheet->size.font;
    return (sample + 0.5) * font +
           pp_plot_text_width(pp_columns(text, strlen(text)), font);
}

/* How many of the legend's items, from this one on, fit on a line; its width. */
static int fit_items(const struct pp_sheet *sheet, int from, double *width)
{
    double font = sheet->size.font, most = sheet->size.width - 2 * edge * font;
    int count = 0;
    *width = 0;
    for (int i = from; i < sheet->legend_count; i++, count++) {
        double more = item_width(sheet, i) + (count > 0 ? between * font : 0);
        if (count > 0 && *width + more > most)
            break;
        *width += more;
    }
    return count;
}

static int legend_lines(const struct pp_sheet *sheet)
{
    int lines = 0;
    double width;
    for (int i = 0; i < sheet->legend_count; lines++)
        i += fit_items(sheet, i, &width);
    return lines;
}

double pp_sheet_width(const struct pp_sheet *sheet, const struct pp_panel *panel)
{
    return sheet->size.width - panel->left_margin - panel->right_margin;
}

/* What stands below a panel. */
static const char *caption_of(const struct pp_sheet *sheet, int i,
                              char caption[2 * PP_SHEET_TEXT])
{
    const struct pp_panel *panel = &sheet->panels[i];
    bool last = i == sheet->panel_count - 1;
    pp_assign(caption, 2 * PP_SHEET_TEXT, "%s%s%s", last ? panel->axis : "",
              last && panel->note[0] ? " · " : "", panel->note);
    return caption;
}

static double head_height(const struct pp_sheet *sheet)
{
    double font = sheet->size.font, height = edge * font;
    if (sheet->panel_count == 1)
        height += line * title_font * font *
                  count_lines(sheet, sheet->panels[0].title, title_font * font);
    return height + line * font * legend_lines(sheet) + gap * font;
}

static double above(const struct pp_sheet *sheet, int i)
{
    double font = sheet->size.font;
    return sheet->panel_count == 1
               ? 0
               : line * font * count_lines(sheet, sheet->panels[i].title, font);
}

static double below(const struct pp_sheet *sheet, int i)
{
    double font = sheet->size.font;
    char caption[2 * PP_SHEET_TEXT];
    int lines = count_lines(sheet, caption_of(sheet, i, caption), font);
    return (tics + line * lines + edge) * font;
}

int pp_sheet_arrange(struct pp_sheet *sheet, struct pp_error *error)
{
    double wanted = 0, around = head_height(sheet), scale = 1;
    for (int i = 0; i < sheet->panel_count; i++) {
        wanted += sheet->panels[i].wanted;
        around += above(sheet, i) + below(sheet, i);
    }
    sheet->height = around + wanted;
    if (sheet->size.height > 0) {
        scale = (sheet->size.height - around) / wanted;
        sheet->height = sheet->size.height;
    }
    double y = head_height(sheet);
    for (int i = 0; i < sheet->panel_count; i++) {
        struct pp_panel *panel = &sheet->panels[i];
        panel->left = panel->left_margin;
        panel->right = sheet->size.width - panel->right_margin;
        panel->top = y + above(sheet, i);
        panel->bottom = panel->top + scale * panel->wanted;
        y = panel->bottom + below(sheet, i);
        if (panel->bottom - panel->top < 2 * sheet->size.font ||
            panel->right - panel->left < 4 * sheet->size.font)
            return pp_fail(
                error, PP_BAD_INPUT,
                "'--size': no room for %s within %.0f by %.0f px: it needs a "
                "larger picture",
                sheet->panel_count > 1 ? "so many panels" : "the picture",
                sheet->size.width, sheet->height);
    }
    return 0;
}

/* "screen X, screen Y", gnuplot's from below. */
static void put_place(const struct pp_sheet *sheet, FILE *settings, double x, double y)
{
    fprintf(settings, "screen %.5f, screen %.5f", x / sheet->size.width,
            1 - y / sheet->height);
}

/* x, or as near to it as a text's middle can be so that all of it is shown. */
static double within(const struct pp_sheet *sheet, const char *text, double x,
                     double font)
{
    double half =
        edge * font + pp_plot_text_width(pp_columns(text, strlen(text)), font) / 2;
    return fmax(fmin(x, sheet->size.width - half), fmin(half, sheet->size.width / 2));
}

/* A text's lines, centred at x below y. */
static void put_lines(const struct pp_sheet *sheet, const char *path, FILE *settings,
                      const char *text, double x, double y, double font)
{
    while (*text) {
        char part[PP_SHEET_TEXT];
        size_t length = first_line(text, columns_of(sheet, font));
        pp_assign(part, sizeof part, "%.*s", (int)length, text);
        fputs("set label ", settings);
        pp_plot_put_quoted(settings, part);
        fputs(" at ", settings);
        put_place(sheet, settings, within(sheet, part, x, font), y + line * font / 2);
        fprintf(settings, " center noenhanced font ',%.4g'\n",
                pp_plot_font(path, font));
        text = next_line(text, length);
        y += line * font;
    }
}

static void put_point(const struct pp_sheet *sheet, FILE *settings,
                      const struct pp_legend *entry, double x, double y)
{
    fputs("set label '' at ", settings);
    put_place(sheet, settings, x + sample * sheet->size.font / 2, y);
    fprintf(settings, " point pt %d ps point_size lc rgb '#%06X'\n", entry->point,
            (unsigned)entry->colour);
}

static void put_sample(const struct pp_sheet *sheet, FILE *settings, int i, double x,
                       double y)
{
    const struct pp_legend *entry = &sheet->legend[i];
    double font = sheet->size.font, height = 0.32 * font;
    bool box = entry->mark == PP_MARK_BOX;
    if (entry->mark == PP_MARK_POINT || entry->mark == PP_MARK_SERIES)
        put_point(sheet, settings, entry, x, y);
    if (entry->mark == PP_MARK_POINT)
        return;
    fputs(box ? "set object rect from " : "set arrow from ", settings);
    put_place(sheet, settings, x, box ? y + height : y);
    fputs(" to ", settings);
    put_place(sheet, settings, x + sample * font, box ? y - height : y);
    if (box)
        fputs(" fs solid 1 noborder fc", settings);
    else
        fputs(" nohead lw 1.5", settings);
    if (entry->mark == PP_MARK_DASHES)
        fputs(" dt (8, 5)", settings);
    if (entry->dash > 0)
        fprintf(settings, " dt %d", entry->dash);
    fprintf(settings, "%s rgb '#%06X'\n", box ? "" : " lc", (unsigned)entry->colour);
}

void pp_sheet_put_head(const struct pp_sheet *sheet, const char *path, FILE *settings)
{
    double font = sheet->size.font, y = edge * font, width;
    fprintf(settings,
            "unset key\nset format '%%g'\npanels = %d\nsmall_font = "
            "',%.4g'\npoint_size = %.3g\n",
            sheet->panel_count, pp_plot_font(path, pp_plot_small_font(&sheet->size)),
            font / 14);
    if (sheet->panel_count == 1) {
        const char *title = sheet->panels[0].title;
        put_lines(sheet, path, settings, title, sheet->size.width / 2, y,
                  title_font * font);
        y += line * title_font * font * count_lines(sheet, title, title_font * font);
    }
    for (int i = 0; i < sheet->legend_count;) {
        int count = fit_items(sheet, i, &width);
        double x = (sheet->size.width - width) / 2;
        for (; count > 0; count--, i++) {
            put_sample(sheet, settings, i, x, y + line * font / 2);
            fputs("set label ", settings);
            pp_plot_put_quoted(settings, sheet->legend[i].text);
            fputs(" at ", settings);
            put_place(sheet, settings, x + (sample + 0.5) * font, y + line * font / 2);
            fputs(" left noenhanced\n", settings);
            x += item_width(sheet, i) + between * font;
        }
        y += line * font;
    }
}

void pp_sheet_put_panel(const struct pp_sheet *sheet, int index, const char *path,
                        FILE *settings)
{
    const struct pp_panel *panel = &sheet->panels[index];
    double font = sheet->size.font, middle = (panel->left + panel->right) / 2;
    char caption[2 * PP_SHEET_TEXT];
    if (index > 0)
        fputs("unset label\nunset object\nunset arrow\n", settings);
    fprintf(settings,
            "set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
            "set tmargin at screen %.5f\nset bmargin at screen %.5f\n",
            panel->left / sheet->size.width, panel->right / sheet->size.width,
            1 - panel->top / sheet->height, 1 - panel->bottom / sheet->height);
    if (sheet->panel_count > 1)
        put_lines(sheet, path, settings, panel->title, middle,
                  panel->top - above(sheet, index), font);
    put_lines(sheet, path, settings, caption_of(sheet, index, caption), middle,
              panel->bottom + tics * font, font);
}
