#include "report/draw/history_plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "report/draw/gnuplot.h"
#include "report/numbers.h"

static const char history_script[] =
#include "history.gp.inc"
    ;

/* The rows as a picture has them. */
struct lines {
    const struct pp_history *history;
    int *series; /* [rows] which line the row is on */
    int *first;  /* [count] the first row of each line */
    int *x;      /* [rows] from 1 */
    int count;   /* of lines */
    int places;  /* along x */
    struct pp_time_unit unit;
    double most_bubble, most_time, most_peak;
};

static bool same_line(const struct pp_history_row *a, const struct pp_history_row *b)
{
    return strcmp(a->configuration, b->configuration) == 0 &&
           strcmp(a->clock, b->clock) == 0;
}

/* The line of the row, a new one if it is the first on it. */
static int line_of(struct lines *lines, int row)
{
    const struct pp_history_row *rows = lines->history->rows;
    for (int s = 0; s < lines->count; s++) {
        if (same_line(&rows[lines->first[s]], &rows[row]))
            return s;
    }
    lines->first[lines->count] = row;
    return lines->count++;
}

/* Does the row stand above the one before it? Of one commit, say, several
 * configurations were judged. */
static bool stands_above(const struct lines *lines, int row)
{
    const struct pp_history_row *rows = lines->history->rows;
    if (row == 0 || rows[row].label[0] == '\0' ||
        strcmp(rows[row].label, rows[row - 1].label) != 0)
        return false;
    for (int i = row - 1; i >= 0 && lines->x[i] == lines->x[row - 1]; i--) {
        if (lines->series[i] == lines->series[row])
            return false;
    }
    return true;
}

static double figure_of(const struct pp_history_row *row, const char *name)
{
    return row->figures[pp_figure_find(name, strlen(name)) - pp_figures];
}

static void release(struct lines *lines)
{
    free(lines->series);
    free(lines->first);
    free(lines->x);
}

static int lay_out(struct lines *lines, const struct pp_history *history,
                   struct pp_error *error)
{
    size_t count = (size_t)history->count;
    *lines = (struct lines){
        .history = history,
        .series = calloc(count + 1, sizeof *lines->series),
        .first = calloc(count + 1, sizeof *lines->first),
        .x = calloc(count + 1, sizeof *lines->x),
    };
    if (!lines->series || !lines->first || !lines->x)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d rows",
                       history->count);
    for (int i = 0; i < history->count; i++) {
        const struct pp_history_row *row = &history->rows[i];
        lines->series[i] = line_of(lines, i);
        lines->places += !stands_above(lines, i);
        lines->x[i] = lines->places;
        lines->most_bubble = fmax(lines->most_bubble, figure_of(row, "bubble"));
        lines->most_time = fmax(lines->most_time, figure_of(row, "makespan"));
        lines->most_peak = fmax(lines->most_peak, figure_of(row, "peak_in_flight"));
    }
    lines->unit = pp_time_unit(lines->most_time * 1e9);
    return 0;
}

/* "1f1b, p = 4, m = 8, virtual", and the hash where another line has the same. */
static void title_of(const struct lines *lines, int line, char title[256])
{
    const struct pp_history_row *rows = lines->history->rows;
    const struct pp_history_row *own = &rows[lines->first[line]];
    pp_assign(title, 256, "%s, p = %d, m = %d, %s", own->schedule, own->ranks,
              own->microbatches, own->clock);
    for (int s = 0; s < lines->count; s++) {
        const struct pp_history_row *other = &rows[lines->first[s]];
        if (s != line && strcmp(other->schedule, own->schedule) == 0 &&
            strcmp(other->clock, own->clock) == 0 && other->ranks == own->ranks &&
            other->microbatches == own->microbatches) {
            pp_append(title, 256, " (%.6s)", own->configuration);
            return;
        }
    }
}

/* Names of the places along x: labels, or dates where there are none; as many as can be
 * read. */
static void put_places(const struct lines *lines, FILE *settings)
{
    enum { MOST = 16 };
    int step = (lines->places + MOST - 1) / MOST, place = 0, count = 0;
    fprintf(settings, "array place_names[%d]\narray place_at[%d]\n", MOST, MOST);
    for (int i = 0; i < lines->history->count; i++) {
        const struct pp_history_row *row = &lines->history->rows[i];
        char text[64], name[32];
        if (lines->x[i] == place)
            continue;
        place = lines->x[i];
        if ((lines->places - place) % step != 0)
            continue;
        count++;
        pp_assign(text, sizeof text, row->label[0] ? "%.20s" : "%.10s",
                  row->label[0] ? row->label : row->time);
        pp_assign(name, sizeof name, "place_names[%d]", count);
        pp_plot_put_text(settings, name, text);
        fprintf(settings, "place_at[%d] = %d\n", count, place);
    }
    fprintf(settings, "place_count = %d\n", count);
}

static int write_settings(const struct lines *lines, const char *path,
                          struct pp_plot_directory *directory, struct pp_error *error)
{
    enum { WIDTH = 1000, HEIGHT = 820, ENTRY = 18 };
    FILE *settings = pp_plot_file_open(directory, "history-settings.gp", error);
    if (!settings)
        return -1;
    int entries = lines->count + 1; /* 'failed' is one, too */
    int legend = (entries + 1) / 2 * ENTRY + ENTRY;
    int height = HEIGHT + legend;
    char text[256];
    struct pp_plot_size size = {WIDTH, height, 12, 1};
    pp_plot_put_terminal(settings, "history", path, &size, height);
    pp_assign(text, sizeof text, "History of %d result%s, %s to %s",
              lines->history->count, lines->history->count == 1 ? "" : "s",
              lines->history->rows[0].time,
              lines->history->rows[lines->history->count - 1].time);
    pp_plot_put_text(settings, "headline", text);
    pp_plot_put_text(settings, "unit", lines->unit.name);
    fprintf(settings,
            "series = %d\nplaces = %d\nmost_bubble = %.9g\nmost_time = %.9g\n"
            "most_peak = %.9g\nlegend_top = %.4f\narray titles[series]\n",
            lines->count, lines->places,
            lines->most_bubble > 0 ? lines->most_bubble : 1,
            lines->most_time > 0 ? lines->most_time * 1e9 / lines->unit.ns : 1,
            lines->most_peak > 0 ? lines->most_peak : 1, (double)legend / height);
    for (int s = 0; s < lines->count; s++) {
        char name[32];
        pp_assign(name, sizeof name, "titles[%d]", s + 1);
        title_of(lines, s, text);
        pp_plot_put_text(settings, name, text);
    }
    put_places(lines, settings);
    return pp_plot_file_close(directory, settings, error);
}

static void put_number(double value, FILE *stream)
{
    if (isnan(value))
        fputs(" NaN", stream);
    else
        fprintf(stream, " %.9g", value);
}

/* A block per line, which begins with a row without numbers: gnuplot does not count
 * empty blocks. */
static int write_data(const struct lines *lines, struct pp_plot_directory *directory,
                      struct pp_error *error)
{
    FILE *stream = pp_plot_file_open(directory, "history.dat", error);
    if (!stream)
        return -1;
    for (int s = 0; s < lines->count; s++) {
        for (int i = 0; i < lines->history->count; i++) {
            const struct pp_history_row *row = &lines->history->rows[i];
            if (lines->series[i] != s)
                continue;
            fprintf(stream, "%d", lines->x[i]);
            put_number(figure_of(row, "bubble"), stream);
            put_number(figure_of(row, "makespan") * 1e9 / lines->unit.ns, stream);
            put_number(figure_of(row, "peak_in_flight"), stream);
            fprintf(stream, " %s\n", strcmp(row->verdict, "fail") == 0 ? "1" : "NaN");
        }
        fputs("\n\n", stream);
    }
    return pp_plot_file_close(directory, stream, error);
}

static int write_script(struct pp_plot_directory *directory, struct pp_error *error)
{
    FILE *script = pp_plot_file_open(directory, "history.gp", error);
    if (!script)
        return -1;
    fputs(history_script, script);
    return pp_plot_file_close(directory, script, error);
}

int pp_history_plot(const struct pp_history *history, const char *path,
                    const char *keep_data, struct pp_error *error)
{
    struct lines lines = {0};
    struct pp_plot_directory directory = {0};
    if (history->count == 0)
        return pp_fail(error, PP_BAD_INPUT,
                       "the history has no rows yet: append one with '--history'");
    int status = pp_plot_path_check(path, error);
    if (status == 0)
        status = lay_out(&lines, history, error);
    if (status == 0)
        status = pp_plot_directory_init(&directory, keep_data, error);
    if (status == 0)
        status = write_script(&directory, error);
    if (status == 0)
        status = write_settings(&lines, path, &directory, error);
    if (status == 0)
        status = write_data(&lines, &directory, error);
    if (status == 0)
        status = pp_gnuplot(&directory, "history", path, error);
    pp_plot_directory_release(&directory);
    release(&lines);
    return status;
}
