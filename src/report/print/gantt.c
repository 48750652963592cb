/* The timeline in a terminal. Without colour an op is its letter, its microbatch where
 * that fits, and "=" to its end; with colour, its microbatch on the colour of its
 * kind. */
#include "report/print/gantt.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/layout.h"
#include "report/numbers.h"
#include "report/palette.h"

enum { MOST_ROWS = 64, LEAST_COLUMNS = 20, MOST_COLUMNS = 2000 };

struct gantt {
    const struct pp_layout *layout;
    FILE *stream;
    bool color;
    int label; /* width of the ranks' column */
};

/* Draws the op that cells [0, width) hold. */
static void draw_op(const struct gantt *gantt, const struct pp_cell *cell, int width)
{
    const struct pp_schedule *schedule = &gantt->layout->report->schedule;
    bool lighter = pp_is_lighter(schedule, schedule->ops[cell->op]);
    char letter = pp_kind_letter(cell->kind), text[16];
    if (lighter)
        letter = (char)(letter - 'A' + 'a');
    int length = snprintf(text, sizeof text, "%u", schedule->ops[cell->op].microbatch);

    if (gantt->color) {
        fprintf(gantt->stream, "\x1b[48;5;%d;38;5;16m",
                pp_palette[cell->kind].terminal[lighter]);
    } else {
        fputc(letter, gantt->stream);
        width--;
    }
    if (length <= width && gantt->layout->ranks_per_row == 1) {
        fputs(text, gantt->stream);
        width -= length;
    }
    for (; width > 0; width--)
        fputc(gantt->color ? ' ' : '=', gantt->stream);
    if (gantt->color)
        fputs("\x1b[0m", gantt->stream);
}

static void draw_row(const struct gantt *gantt, int y)
{
    const struct pp_layout *layout = gantt->layout;
    const struct pp_cell *row = &layout->cells[(size_t)y * (size_t)layout->columns];
    fprintf(gantt->stream, "%*d |", gantt->label, y * layout->ranks_per_row);
    for (int c = 0; c < layout->columns;) {
        int width = 1;
        if (!row[c].busy) {
            fputc('.', gantt->stream);
        } else {
            while (c + width < layout->columns && row[c + width].busy &&
                   row[c + width].op == row[c].op)
                width++;
            draw_op(gantt, &row[c], width);
        }
        c += width;
    }
    fputs("|\n", gantt->stream);
}

/* Marks at round times; the last one carries the unit. */
static void draw_axis(const struct gantt *gantt)
{
    enum { ROOM = 12 }; /* columns per mark */
    const struct pp_layout *layout = gantt->layout;
    double length = (double)layout->report->metrics.makespan;
    struct pp_time_unit unit = pp_time_unit(length);
    int most = layout->columns / ROOM;
    double step = pp_axis_step(length / unit.ns, most > 1 ? most : 1);
    int decimals = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    int at = 0; /* the column that has been reached */
    fprintf(gantt->stream, "%*s  ", gantt->label, "");
    for (int i = 0;; i++) {
        char text[32];
        double time = i * step * unit.ns;
        if (time > length * (1 + 1e-9))
            break;
        bool last = time + step * unit.ns > length * (1 + 1e-9);
        int column = (int)(time / length * layout->columns + 0.5);
        int width = snprintf(text, sizeof text, "%.*f%s%s", decimals, i * step,
                             last ? " " : "", last ? unit.name : "");
        /* A mark at the very end would be too far right. */
        if (column + width > layout->columns + 1)
            column = layout->columns + 1 - width;
        if (column >= at)
            at += fprintf(gantt->stream, "%*s%s", column - at, "", text);
    }
    fputc('\n', gantt->stream);
}

/* "  F forward", the sign on a background unless that is 0; on a new line where this
 * one is full. */
static void put_item(const struct gantt *gantt, int *column, int background,
                     const char *sign, const char *name)
{
    int width = 2 + (int)(strlen(sign) + 1 + strlen(name)) + (background ? 2 : 0);
    if (*column > gantt->label &&
        *column + width > gantt->label + 3 + gantt->layout->columns)
        *column = fprintf(gantt->stream, "\n%*s", gantt->label, "") - 1;
    if (background)
        fprintf(gantt->stream, "  \x1b[48;5;%d;38;5;16m %s \x1b[0m", background, sign);
    else
        fprintf(gantt->stream, "  %s", sign);
    fprintf(gantt->stream, " %s", name);
    *column += width;
}

static void draw_legend(const struct gantt *gantt)
{
    const struct pp_layout *layout = gantt->layout;
    const struct pp_report *report = layout->report;
    bool seen[PP_KINDS] = {false};
    for (int i = 0; i < report->cost_count; i++)
        seen[report->costs[i].kind] = true;
    int column = fprintf(gantt->stream, "%*s", gantt->label, "");
    for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
        char letter[] = {pp_kind_letter(kind), '\0'};
        if (seen[kind])
            put_item(gantt, &column, gantt->color ? pp_palette[kind].terminal[0] : 0,
                     letter, pp_kind_name(kind));
    }
    put_item(gantt, &column, 0, ".", "bubble");
    put_item(gantt, &column, 0, gantt->color ? "3" : "F3==",
             gantt->color ? "microbatch 3" : "F of microbatch 3");
    const char *lighter = pp_lighter_name(&report->schedule);
    if (lighter)
        put_item(gantt, &column, 0, gantt->color ? "lighter:" : "lower case:", lighter);
    fputc('\n', gantt->stream);
}

static void draw_notes(const struct gantt *gantt)
{
    const struct pp_layout *layout = gantt->layout;
    char text[PP_DURATION_TEXT];
    if (layout->ranks_per_row > 1)
        fprintf(gantt->stream,
                "%*s  each row shows %d ranks, from the one on its left\n",
                gantt->label, "", layout->ranks_per_row);
    if (layout->short_ops > 0)
        fprintf(gantt->stream,
                "%*s  %zu op%s shorter than a column (%s): shown in proportion\n",
                gantt->label, "", layout->short_ops,
                layout->short_ops == 1 ? " is" : "s are",
                pp_duration_text(layout->column_ns, text));
}

int pp_report_print_gantt(const struct pp_report *report, FILE *stream, int width,
                          bool color, struct pp_error *error)
{
    struct gantt gantt = {.stream = stream, .color = color};
    struct pp_layout layout;
    if (!report->timeline.spans || report->metrics.makespan <= 0) {
        fputs("the report has no timeline to draw\n", stream);
        return 0;
    }
    gantt.label = snprintf(NULL, 0, "%d", report->schedule.ranks - 1);
    if (gantt.label < 4)
        gantt.label = 4;
    int columns = width - gantt.label - 3;
    columns = columns < LEAST_COLUMNS  ? LEAST_COLUMNS
              : columns > MOST_COLUMNS ? MOST_COLUMNS
                                       : columns;
    if (pp_layout_init(&layout, report, MOST_ROWS, columns, error) != 0)
        return -1;
    gantt.layout = &layout;
    fprintf(stream, "%*s  step %d of %s\n", gantt.label, "rank",
            report->steps[report->representative].number, report->schedule.name);
    for (int y = 0; y < layout.rows; y++)
        draw_row(&gantt, y);
    draw_axis(&gantt);
    draw_legend(&gantt);
    draw_notes(&gantt);
    pp_layout_release(&layout);
    return 0;
}
