#include "report/draw/plot.h"

#include <math.h>
#include <string.h>

#include "base/names.h"
#include "base/words.h"
#include "report/draw/plot_data.h"

enum { MOST_ROWS = 64 };

const struct pp_picture *pp_picture_find(const char *name, struct pp_error *error)
{
    enum { MOST_PICTURES = 16 };
    const char *names[MOST_PICTURES + 1];
    char list[128];
    for (int i = 0; i <= MOST_PICTURES; i++) {
        names[i] = pp_pictures[i].name;
        if (!names[i])
            break;
        if (strcmp(names[i], name) == 0)
            return &pp_pictures[i];
    }
    pp_names_list(names, list, sizeof list);
    pp_fail(error, PP_BAD_INPUT, "no picture '%s': there are %s", name, list);
    return NULL;
}

static void set_title(struct pp_panel *panel, const struct pp_report *report)
{
    const struct pp_schedule *schedule = &report->schedule;
    pp_assign(panel->title, sizeof panel->title,
              "%s · p = %d, v = %d, m = %d · %s%s · bubble %.3f", schedule->name,
              schedule->ranks, schedule->chunks, schedule->microbatches,
              report->environment.clock,
              strcmp(report->environment.clock, "simulated") != 0 ? " clock" : "",
              report->metrics.bubble.fraction);
}

/* What the axes reach, over all reports. */
static void find_axis(const struct pp_picture *picture,
                      const struct pp_plot_request *request, struct pp_plot_axis *axis)
{
    for (int i = 0; i < request->count; i++) {
        const struct pp_report *report = &request->reports[i];
        const struct pp_metrics *metrics = &report->metrics;
        axis->makespan = fmax(axis->makespan, (double)metrics->makespan);
        axis->peak = fmax(axis->peak, pp_plot_highest_peak(report));
        for (int r = 0; r < metrics->ranks; r++)
            axis->idle = fmax(axis->idle, (double)metrics->of_rank[r].idle /
                                              (double)metrics->makespan);
        for (int c = 0; c < report->cost_count; c++)
            axis->op = fmax(axis->op, (double)report->costs[c].p95);
        size_t ops = picture->timeline ? pp_schedule_ops(&report->schedule) : 0;
        for (size_t k = 0; k < ops; k++) {
            const struct pp_span *span = &report->timeline.spans[k];
            axis->op = fmax(axis->op, (double)(span->end - span->start));
            double late = picture->predicted
                              ? pp_plot_late(report, &request->predicted[i], k)
                              : 0;
            axis->late = fmax(axis->late, late);
            axis->early = fmax(axis->early, -late);
        }
    }
}

/* Sets up the panel of the i-th report, as far as it depends on no other. */
static int init_plot(struct pp_plot *plot, const struct pp_picture *picture,
                     const struct pp_plot_request *request, int i)
{
    const struct pp_report *report = &request->reports[i];
    int ranks = report->schedule.ranks;
    plot->report = report;
    plot->predicted = picture->predicted ? &request->predicted[i] : NULL;
    plot->panel = &plot->sheet->panels[i];
    plot->path = request->path;
    plot->unit = pp_time_unit(plot->axis->makespan);
    plot->thinned =
        pp_schedule_ops(&report->schedule) > PP_PLOT_MOST_OPS || ranks > MOST_ROWS;
    if (request->count > 1)
        pp_assign(plot->prefix, sizeof plot->prefix, "%d-", i + 1);
    for (int c = 0; c < report->cost_count; c++)
        plot->seen[report->costs[c].kind] = true;
    set_title(plot->panel, report);
    if (!picture->timeline)
        return 0;
    int rows = ranks < MOST_ROWS ? ranks : MOST_ROWS;
    double width = plot->sheet->size.width * plot->sheet->size.pixels;
    int columns = (int)fmin(PP_PLOT_MOST_OPS / rows, width);
    return pp_layout_init(&plot->layout, report, MOST_ROWS, columns, plot->error);
}

static int write_script(const struct pp_picture *picture,
                        struct pp_plot_directory *directory, struct pp_error *error)
{
    char name[64];
    pp_assign(name, sizeof name, "%s.gp", picture->name);
    FILE *stream = pp_plot_file_open(directory, name, error);
    if (!stream)
        return -1;
    fputs(picture->script, stream);
    return pp_plot_file_close(directory, stream, error);
}

static int write_settings(const struct pp_picture *picture, const struct pp_plot *plot)
{
    const struct pp_sheet *sheet = plot->sheet;
    char name[64];
    pp_assign(name, sizeof name, "%s-settings.gp", picture->name);
    FILE *stream = pp_plot_file_open(plot->directory, name, plot->error);
    if (!stream)
        return -1;
    pp_plot_put_terminal(stream, picture->name, plot->path, &sheet->size,
                         sheet->height);
    pp_sheet_put_head(sheet, plot->path, stream);
    return pp_plot_file_close(plot->directory, stream, plot->error);
}

static int write_panel(const struct pp_picture *picture, struct pp_plot *plot, int i)
{
    char name[64];
    pp_assign(name, sizeof name, "%s-panel-%d.gp", picture->name, i + 1);
    FILE *stream = pp_plot_file_open(plot->directory, name, plot->error);
    if (!stream)
        return -1;
    pp_plot_put_text(stream, "data", plot->prefix);
    pp_sheet_put_panel(plot->sheet, i, plot->path, stream);
    int result = picture->write(plot, stream);
    return pp_plot_file_close(plot->directory, stream, plot->error) != 0 ? -1 : result;
}

/* Plans all panels, then writes all. */
static int write_plots(const struct pp_picture *picture,
                       const struct pp_plot_request *request, struct pp_plot *plots,
                       struct pp_sheet *sheet)
{
    struct pp_error *error = plots[0].error;
    for (int i = 0; i < request->count; i++) {
        if (init_plot(&plots[i], picture, request, i) != 0)
            return -1;
        picture->plan(&plots[i]);
    }
    if (pp_sheet_arrange(sheet, error) != 0 ||
        write_script(picture, plots[0].directory, error) != 0 ||
        write_settings(picture, &plots[0]) != 0)
        return -1;
    for (int i = 0; i < request->count; i++) {
        if (write_panel(picture, &plots[i], i) != 0)
            return -1;
    }
    return 0;
}

int pp_report_plot_data(const struct pp_plot_request *request,
                        struct pp_plot_directory *directory, struct pp_error *error)
{
    struct pp_sheet sheet = {.panel_count = request->count};
    struct pp_plot plots[PP_MOST_PLOTTED] = {0};
    struct pp_plot_axis axis = {0};
    const struct pp_picture *picture = pp_picture_find(request->picture, error);
    if (!picture || pp_plot_path_check(request->path, error) != 0 ||
        pp_plot_size_parse(request->size, &sheet.size, error) != 0)
        return -1;
    if (request->count > PP_MOST_PLOTTED)
        return pp_fail(error, PP_BAD_INPUT, "%d reports: a picture shows at most %d",
                       request->count, PP_MOST_PLOTTED);
    for (int i = 0; i < request->count; i++) {
        if (picture->timeline &&
            pp_report_need_timeline(&request->reports[i], error) != 0)
            return -1;
    }
    find_axis(picture, request, &axis);
    for (int i = 0; i < request->count; i++)
        plots[i] = (struct pp_plot){
            .directory = directory, .sheet = &sheet, .error = error, .axis = &axis};
    int result = write_plots(picture, request, plots, &sheet);
    for (int i = 0; i < request->count; i++)
        pp_layout_release(&plots[i].layout);
    return result;
}

int pp_report_plot(const struct pp_plot_request *request, struct pp_error *error)
{
    struct pp_plot_directory directory;
    if (!pp_picture_find(request->picture, error) ||
        pp_plot_path_check(request->path, error) != 0)
        return -1;
    int result = pp_plot_directory_init(&directory, request->keep_data, error);
    if (result == 0)
        result = pp_report_plot_data(request, &directory, error);
    if (result == 0)
        result = pp_gnuplot(&directory, request->picture, request->path, error);
    pp_plot_directory_release(&directory);
    return result;
}
