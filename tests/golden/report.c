/* Prints one drawing of a report, or the schema of its JSON, for comparison with the
 * file of its name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/test_report_fixture.h"
#include "report/draw/gnuplot.h"
#include "report/draw/plot.h"
#include "report/export/export.h"
#include "report/export/json_schema.h"
#include "report/print/explain.h"
#include "report/print/gantt.h"
#include "report/print/summary.h"

enum what { GANTT, SUMMARY, EXPLAIN, DATA, CSV };

static const struct {
    const char *name;
    enum what what;
    struct fixture fixture;
    int width;
    const char *picture;
    const char *files[8]; /* that gnuplot reads for it, beside the script */
} cases[] = {
    {"gantt-gpipe-2-80", GANTT, {"gpipe", 2, 1, 4, 1, 0, 0, 1}, 80, NULL},
    {"gantt-1f1b-4-80", GANTT, {"1f1b", 4, 1, 8, 1, 0, 0, 1}, 80, NULL},
    {"gantt-1f1b-4-200", GANTT, {"1f1b", 4, 1, 8, 1, 0, 0, 1}, 200, NULL},
    {"gantt-zb-h1-4-200", GANTT, {"zb-h1", 4, 1, 8, 1, 0, 0, 1}, 200, NULL},
    {"gantt-interleaved-8-200",
     GANTT,
     {"interleaved", 8, 2, 16, 1, 0, 0, 1},
     200,
     NULL},
    {"gantt-1f1b-16-80", GANTT, {"1f1b", 16, 1, 64, 1, 0, 0, 1}, 80, NULL},
    {"gantt-1f1b-100-80", GANTT, {"1f1b", 100, 1, 64, 1, 0, 0, 1}, 80, NULL},
    {"summary-1f1b", SUMMARY, {"1f1b", 4, 1, 8, 3, 50000, 0.05, 1.2}, 0, NULL},
    {"explain-1f1b", EXPLAIN, {"1f1b", 4, 1, 8, 1, 50000, 0, 1.2}, 0, NULL},
    {"data-timeline",
     DATA,
     {"1f1b", 2, 1, 3, 1, 0, 0, 1},
     0,
     "timeline",
     {"timeline-settings.gp", "timeline-panel-1.gp", "rows.dat", "ops.dat",
      "labels.dat", "bound.dat", "path.dat"}},
    {"data-in-flight",
     DATA,
     {"interleaved", 2, 2, 2, 1, 0, 0, 1},
     0,
     "in-flight",
     {"in-flight-settings.gp", "in-flight-panel-1.gp", "bands.dat", "in_flight.dat",
      "peaks.dat"}},
    {"data-op-times",
     DATA,
     {"zb-h1", 2, 1, 3, 1, 0, 0, 2},
     0,
     "op-times",
     {"op-times-settings.gp", "op-times-panel-1.gp", "op_times.dat", "costs.dat"}},
    {"data-causes",
     DATA,
     {"1f1b", 4, 1, 4, 1, 50000, 0, 1},
     0,
     "causes",
     {"causes-settings.gp", "causes-panel-1.gp", "causes.dat"}},
    {"data-predicted",
     DATA,
     {"1f1b", 2, 1, 2, 1, 50000, 0, 1},
     0,
     "predicted",
     {"predicted-settings.gp", "predicted-panel-1.gp", "late.dat"}},
    {"csv-gpipe", CSV, {"gpipe", 2, 1, 2, 1, 0, 0, 1}, 0, NULL},
};

static void must(int result, const struct pp_error *error)
{
    if (result != 0) {
        fprintf(stderr, "%s\n", error->text);
        exit(99);
    }
}

/* All that gnuplot would read, but for the script, which stands in plots/. */
static void print_data(const struct pp_report *report, const char *picture,
                       const char *const *files)
{
    struct pp_timeline predicted;
    struct pp_plot_directory directory;
    struct pp_error error = {0};
    /* Every op starts 100 us earlier than predicted, every third one later. */
    must(pp_timeline_init(&predicted, &report->schedule, &error), &error);
    for (size_t k = 0; k < pp_schedule_ops(&report->schedule); k++)
        predicted.spans[k].start =
            report->timeline.spans[k].start + (k % 3 == 2 ? -300000 : 100000);
    must(pp_plot_directory_init(&directory, NULL, &error), &error);
    must(pp_report_plot_data(&(struct pp_plot_request){.picture = picture,
                                                       .path = "a.svg",
                                                       .size = "screen",
                                                       .reports = report,
                                                       .predicted = &predicted,
                                                       .count = 1},
                             &directory, &error),
         &error);
    for (; *files; files++) {
        char *path = pp_folder_file(&directory.folder, *files, &error);
        FILE *stream = path ? fopen(path, "r") : NULL;
        printf("-- %s\n", *files);
        for (int c; stream && (c = getc(stream)) != EOF;)
            putchar(c);
        if (stream)
            fclose(stream);
        free(path);
    }
    pp_plot_directory_release(&directory);
    pp_timeline_release(&predicted);
}

/* What a report's JSON looks like, which is of no report in particular. */
static int print_schema(void)
{
    json_t *schema = pp_report_json_schema();
    json_dumpf(schema, stdout, JSON_INDENT(2));
    json_decref(schema);
    putchar('\n');
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "schema") == 0)
        return print_schema();
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++) {
        struct pp_report report;
        struct pp_error error = {0};
        if (strcmp(argv[1], cases[i].name) != 0)
            continue;
        fixture_report(&report, &cases[i].fixture);
        report.theory = 0.25;
        if (cases[i].what == GANTT)
            must(pp_report_print_gantt(&report, stdout, cases[i].width, false, &error),
                 &error);
        else if (cases[i].what == SUMMARY)
            must(pp_report_print_summary(&report, "", 80, stdout, false, &error),
                 &error);
        else if (cases[i].what == EXPLAIN)
            must(pp_report_print_explain(&report,
                                         &(struct pp_speedup){true, 3, PP_B, 0.0018},
                                         stdout, &error),
                 &error);
        else if (cases[i].what == CSV)
            must(pp_report_write_csv(&report, "-", &error), &error);
        else
            print_data(&report, cases[i].picture, cases[i].files);
        pp_report_release(&report);
        return 0;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        fprintf(stderr, "%s\n", cases[i].name);
    return 2;
}
