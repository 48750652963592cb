#include "report/draw/pareto_plot.h"

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "base/wrap.h"
#include "report/draw/gnuplot.h"
#include "report/draw/sheet.h"

static const char pareto_script[] =
#include "pareto.gp.inc"
    ;

enum { ROW = 0x0072B2, FOUND = 0xD55E00, BOUND = 0xCC0066, CIRCLE = 7, TRIANGLE = 9 };
enum { MOST_NAMED = 64 };

/* A box that a point or a name takes, in px from the panel's lower left corner. */
struct box {
    double left, right, bottom, top;
};

struct names {
    const struct pp_pareto *pareto;
    const struct pp_sheet *sheet;
    double most_memory, most_bubble; /* what the axes reach */
    struct box taken[2 * MOST_NAMED];
    int count;
};

static bool overlap(const struct box *a, const struct box *b)
{
    return a->left < b->right && b->left < a->right && a->bottom < b->top &&
           b->bottom < a->top;
}

static bool is_free(const struct names *names, const struct box *box)
{
    const struct pp_panel *panel = &names->sheet->panels[0];
    if (box->left < 0 || box->bottom < 0 ||
        box->right > names->sheet->size.width - panel->left ||
        box->top > panel->bottom - panel->top)
        return false;
    for (int k = 0; k < names->count; k++) {
        if (overlap(box, &names->taken[k]))
            return false;
    }
    return true;
}

/* The point's place in the panel. */
static void place_of(const struct names *names, const struct pp_pareto_point *point,
                     double *x, double *y)
{
    const struct pp_panel *panel = &names->sheet->panels[0];
    *x = (panel->right - panel->left) * point->memory / names->most_memory;
    *y = (panel->bottom - panel->top) * point->bubble / names->most_bubble;
}

static void take(struct names *names, struct box box)
{
    if (names->count < 2 * MOST_NAMED)
        names->taken[names->count++] = box;
}

static void take_point(struct names *names, const struct pp_pareto_point *point)
{
    double x, y, half = 0.35 * names->sheet->size.font;
    place_of(names, point, &x, &y);
    take(names, (struct box){x - half, x + half, y - half, y + half});
}

/* Writes the name beside the point where it hides no other; further above or below, at
 * a thin line, where there is no room. Where there is none at all it is left out. */
static void put_name(struct names *names, const struct pp_pareto_point *point,
                     FILE *settings)
{
    enum { RINGS = 9 };
    double font = pp_plot_small_font(&names->sheet->size);
    double width =
        pp_plot_text_width(pp_columns(point->name, strlen(point->name)), font);
    double x, y;
    place_of(names, point, &x, &y);
    for (int k = 0; k < 2 * RINGS; k++) {
        int ring = (k / 2 + 1) / 2 * (k / 2 % 2 ? 1 : -1);
        double left = k % 2 ? x - 0.6 * font - width : x + 0.6 * font;
        double middle = y + 1.05 * font * ring;
        struct box box = {left, left + width, middle - font / 2, middle + font / 2};
        if (!is_free(names, &box))
            continue;
        take(names, box);
        const struct pp_panel *panel = &names->sheet->panels[0];
        if (ring != 0)
            fprintf(settings,
                    "set arrow from screen %.5f, screen %.5f to screen %.5f, screen "
                    "%.5f nohead back lw 0.5 lc rgb '#999999'\n",
                    (panel->left + x) / names->sheet->size.width,
                    1 - (panel->bottom - y) / names->sheet->height,
                    (panel->left + (k % 2 ? left + width : left)) /
                        names->sheet->size.width,
                    1 - (panel->bottom - middle) / names->sheet->height);
        fputs("set label ", settings);
        pp_plot_put_quoted(settings, point->name);
        fprintf(settings,
                " at screen %.5f, screen %.5f left noenhanced font small_font\n",
                (panel->left + left) / names->sheet->size.width,
                1 - (panel->bottom - middle) / names->sheet->height);
        return;
    }
}

static void put_names(struct names *names, FILE *settings)
{
    const struct pp_pareto *pareto = names->pareto;
    int count = pareto->count < MOST_NAMED - 1 ? pareto->count : MOST_NAMED - 1;
    for (int k = 0; k < count; k++)
        take_point(names, &pareto->points[k]);
    if (pareto->found) {
        take_point(names, pareto->found);
        put_name(names, pareto->found, settings);
    }
    for (int k = 0; k < count; k++)
        put_name(names, &pareto->points[k], settings);
}

static void find_axes(struct names *names)
{
    const struct pp_pareto *pareto = names->pareto;
    for (int k = 0; k < pareto->count; k++) {
        names->most_memory = fmax(names->most_memory, pareto->points[k].memory);
        names->most_bubble = fmax(names->most_bubble, pareto->points[k].bubble);
    }
    for (int k = 0; k < pareto->bound_count; k++)
        names->most_memory = fmax(names->most_memory, pareto->bound[k].memory);
    if (pareto->found) {
        names->most_memory = fmax(names->most_memory, pareto->found->memory);
        names->most_bubble = fmax(names->most_bubble, pareto->found->bubble);
    }
    names->most_memory *= 1.05;
    names->most_bubble = names->most_bubble > 0 ? 1.08 * names->most_bubble : 1;
}

static void plan(const struct pp_pareto *pareto, struct pp_sheet *sheet)
{
    struct pp_panel *panel = &sheet->panels[0];
    double font = sheet->size.font;
    pp_assign(panel->title, sizeof panel->title, "%s", pareto->title);
    pp_assign(panel->axis, sizeof panel->axis, "%s", pareto->memory_axis);
    panel->wanted = fmin(0.6 * sheet->size.width, 40 * font);
    panel->left_margin = 3.2 * font + pp_plot_text_width(5, font);
    panel->right_margin = 1.2 * font;
    pp_sheet_explain(sheet, PP_MARK_POINT, ROW, CIRCLE, "schedule");
    if (pareto->found)
        pp_sheet_explain(sheet, PP_MARK_POINT, FOUND, TRIANGLE, "found");
    if (pareto->bound_count > 0)
        pp_sheet_explain(sheet, PP_MARK_LINE, BOUND, 0,
                         "bound: no order of the shapes tried is below");
}

static int write_settings(struct names *names, const char *path,
                          struct pp_plot_directory *directory, struct pp_error *error)
{
    const struct pp_sheet *sheet = names->sheet;
    FILE *stream = pp_plot_file_open(directory, "pareto-settings.gp", error);
    if (!stream)
        return -1;
    pp_plot_put_terminal(stream, "pareto", path, &sheet->size, sheet->height);
    pp_sheet_put_head(sheet, path, stream);
    fprintf(stream, "most_memory = %.9g\nmost_bubble = %.9g\n", names->most_memory,
            names->most_bubble);
    pp_plot_put_text(stream, "bubble_label", names->pareto->bubble_axis);
    if (pp_plot_file_close(directory, stream, error) != 0)
        return -1;
    stream = pp_plot_file_open(directory, "pareto-panel-1.gp", error);
    if (!stream)
        return -1;
    pp_sheet_put_panel(sheet, 0, path, stream);
    put_names(names, stream);
    return pp_plot_file_close(directory, stream, error);
}

static int write_points(struct pp_plot_directory *directory, const char *name,
                        const struct pp_pareto_point *points, int count,
                        struct pp_error *error)
{
    FILE *stream = pp_plot_file_open(directory, name, error);
    if (!stream)
        return -1;
    for (int k = 0; k < count; k++)
        fprintf(stream, "%.9g %.9g\n", points[k].memory, points[k].bubble);
    if (count == 0)
        fputs("NaN NaN\n", stream);
    return pp_plot_file_close(directory, stream, error);
}

static int write_data(const struct pp_pareto *pareto,
                      struct pp_plot_directory *directory, struct pp_error *error)
{
    FILE *script = pp_plot_file_open(directory, "pareto.gp", error);
    if (!script)
        return -1;
    fputs(pareto_script, script);
    if (pp_plot_file_close(directory, script, error) != 0 ||
        write_points(directory, "rows.dat", pareto->points, pareto->count, error) != 0)
        return -1;
    if (write_points(directory, "found.dat", pareto->found, pareto->found ? 1 : 0,
                     error) != 0)
        return -1;
    return write_points(directory, "bound.dat", pareto->bound, pareto->bound_count,
                        error);
}

int pp_pareto_plot(const struct pp_pareto *pareto, const char *path,
                   const char *keep_data, const char *size, struct pp_error *error)
{
    struct pp_plot_directory directory = {0};
    struct pp_sheet sheet = {.panel_count = 1};
    struct names names = {.pareto = pareto, .sheet = &sheet};
    int status = pp_plot_path_check(path, error);
    if (status == 0)
        status = pp_plot_size_parse(size, &sheet.size, error);
    if (status != 0)
        return -1;
    plan(pareto, &sheet);
    find_axes(&names);
    status = pp_sheet_arrange(&sheet, error);
    if (status == 0)
        status = pp_plot_directory_init(&directory, keep_data, error);
    if (status == 0)
        status = write_settings(&names, path, &directory, error);
    if (status == 0)
        status = write_data(pareto, &directory, error);
    if (status == 0)
        status = pp_gnuplot(&directory, "pareto", path, error);
    pp_plot_directory_release(&directory);
    return status;
}
