/* ppsim sweep: many shapes at once, as one table. */
#include "cli/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/output.h"
#include "cli/command.h"
#include "cli/lists.h"
#include "cli/simulation.h"
#include "report/gnuplot.h"

enum { MOST_POINTS = 100000, MOST_SCHEDULES = 64 };

struct sweep {
    struct pp_options *options;
    char *schedules; /* the list, cut into names */
    const char *names[MOST_SCHEDULES];
    int name_count;
    struct pp_list ranks, chunks, microbatches;
    struct pp_sweep_point *points;
    int count;
};

/* The points, schedule by schedule, ranks, chunks, microbatches ascending as listed. */
static int list_points(struct sweep *sweep, struct pp_error *error)
{
    struct pp_options *options = sweep->options;
    sweep->schedules = strdup(options->schedule);
    if (!sweep->schedules)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the sweep");
    char *rest = NULL;
    for (char *name = strtok_r(sweep->schedules, ",", &rest);
         name && sweep->name_count < MOST_SCHEDULES;
         name = strtok_r(NULL, ",", &rest)) {
        const struct pp_scheduler *row = pp_catalogue_get(name, error);
        if (!row)
            return -1;
        sweep->names[sweep->name_count++] = row->name;
    }
    sweep->chunks = (struct pp_list){.items = {0}, .count = 1}; /* each one's own */
    if (pp_list_parse(&sweep->ranks, "ranks", options->ranks_list, 1, PP_MAX_RANKS,
                      error) != 0 ||
        pp_list_parse(&sweep->microbatches, "microbatches", options->microbatches_list,
                      1, PP_MAX_MICROBATCHES - 1, error) != 0)
        return -1;
    if (options->chunks_list &&
        pp_list_parse(&sweep->chunks, "chunks", options->chunks_list, 1, PP_MAX_RANKS,
                      error) != 0)
        return -1;
    double count = (double)sweep->name_count * sweep->ranks.count *
                   sweep->chunks.count * sweep->microbatches.count;
    if (count > MOST_POINTS || count < 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "the sweep has %.0f points: 1 to %d are "
                       "possible",
                       count, MOST_POINTS);
    sweep->points = calloc((size_t)count, sizeof *sweep->points);
    if (!sweep->points)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %.0f points", count);
    for (int n = 0; n < sweep->name_count; n++)
        for (int p = 0; p < sweep->ranks.count; p++)
            for (int v = 0; v < sweep->chunks.count; v++)
                for (int m = 0; m < sweep->microbatches.count; m++) {
                    struct pp_sweep_point *point = &sweep->points[sweep->count++];
                    int own = pp_catalogue_find(sweep->names[n])->default_chunks;
                    int chunks = sweep->chunks.items[v];
                    *point = (struct pp_sweep_point){
                        .ranks = sweep->ranks.items[p],
                        .chunks = chunks > 0 ? chunks : own,
                        .microbatches = sweep->microbatches.items[m],
                    };
                    snprintf(point->schedule, sizeof point->schedule, "%s",
                             sweep->names[n]);
                }
    return 0;
}

static void fill_point(struct pp_sweep_point *point, const struct pp_report *report,
                       bool measured)
{
    double fraction = report->metrics.bubble.fraction;
    point->theory = report->theory;
    point->simulated = measured ? report->predicted : fraction;
    point->measured = measured ? fraction : (double)NAN;
    point->measured_min = measured ? report->bubble_min : (double)NAN;
    point->measured_max = measured ? report->bubble_max : (double)NAN;
    point->makespan_s = (double)report->metrics.makespan * 1e-9;
    point->tokens_per_s = report->tokens_per_s;
    for (int r = 0; r < report->schedule.ranks; r++) {
        const struct pp_report_rank *rank = &report->ranks[r];
        point->peak_in_flight = fmax(point->peak_in_flight, rank->peak_in_flight);
        point->peak_activation_bytes =
            fmax(point->peak_activation_bytes, (double)rank->peak_activation_bytes);
    }
    point->done = true;
}

/* A shape that cannot be is the point's affair; any other failure the sweep's. */
static int note_failure(struct pp_sweep_point *point, const struct pp_error *error)
{
    if (error->status != PP_BAD_INPUT)
        return -1;
    snprintf(point->invalid, sizeof point->invalid, "%.*s",
             (int)strcspn(error->text, "\n"), error->text);
    return 0;
}

static int simulate_point(const struct sweep *sweep, struct pp_sweep_point *point,
                          struct pp_error *error)
{
    struct pp_options options = *sweep->options;
    struct pp_plan plan = {0};
    struct pp_report report = {0};
    options.schedule = point->schedule;
    options.ranks = point->ranks;
    options.chunks = point->chunks;
    options.microbatches = point->microbatches;
    int status = pp_plan_schedule(&plan, &options, error);
    if (status != 0) {
        status = note_failure(point, error);
    } else {
        /* --cost says what a whole rank takes: the same work for every v. */
        status = pp_simulation(&report, &plan, &options, 1.0 / point->chunks, error);
        if (status == 0)
            fill_point(point, &report, false);
    }
    pp_report_release(&report);
    pp_plan_release(&plan);
    return status;
}

/* Runs this program with the arguments, its stderr going to a file; returns its exit
 * status, or -1 if it died. */
static int run_program(char *const *arguments, const char *errors)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        int file = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (file >= 0)
            dup2(file, STDERR_FILENO);
        execv("/proc/self/exe", arguments);
        _exit(PP_ENVIRONMENT);
    }
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The first line that a failed run wrote, without its "ppsim: ". */
static void read_reason(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    snprintf(text, size, "the run failed");
    if (file && fgets(text, (int)size, file))
        text[strcspn(text, "\n")] = '\0';
    if (strncmp(text, "ppsim: ", 7) == 0)
        memmove(text, text + 7, strlen(text + 7) + 1);
    if (file)
        fclose(file);
}

/* Each point is a process of its own, so that what goes wrong in one stays there. */
static int run_point(const struct sweep *sweep, struct pp_sweep_point *point,
                     struct pp_error *error)
{
    enum { MOST_PASSED = 48 };
    char directory[] = "/tmp/ppsim-sweep-XXXXXX";
    char command[] = "run", quiet[] = "--quiet";
    char shape[4][96], json[64], errors[64], output[80];
    char *arguments[MOST_PASSED + 10] = {sweep->options->argv[0], command, quiet};
    int count = 3, first;
    struct pp_report report = {0};
    if (!mkdtemp(directory))
        return pp_fail(error, PP_ENVIRONMENT, "cannot make '%s': %s", directory,
                       strerror(errno));
    snprintf(json, sizeof json, "%s/report.json", directory);
    snprintf(errors, sizeof errors, "%s/errors", directory);
    snprintf(output, sizeof output, "--json=%s", json);
    snprintf(shape[0], sizeof shape[0], "--schedule=%s", point->schedule);
    snprintf(shape[1], sizeof shape[1], "--ranks=%d", point->ranks);
    snprintf(shape[2], sizeof shape[2], "--chunks=%d", point->chunks);
    snprintf(shape[3], sizeof shape[3], "--microbatches=%d", point->microbatches);
    for (int i = 0; i < 4; i++)
        arguments[count++] = shape[i];
    arguments[count++] = output;
    first = count;
    count += pp_options_pass_on(sweep->options, PP_RUN, arguments + count, MOST_PASSED);

    int ended = run_program(arguments, errors), status = 0;
    if (ended == PP_DONE) {
        status = pp_report_read_json(&report, json, error);
        if (status == 0)
            fill_point(point, &report, true);
    } else {
        read_reason(errors, point->invalid, sizeof point->invalid);
    }
    pp_report_release(&report);
    for (int i = first; i < count; i++)
        free(arguments[i]);
    unlink(json);
    unlink(errors);
    rmdir(directory);
    return status;
}

static int make_points(struct sweep *sweep, FILE *file, bool progress,
                       struct pp_error *error)
{
    const struct pp_options *options = sweep->options;
    for (int i = 0; i < sweep->count; i++) {
        struct pp_sweep_point *point = &sweep->points[i];
        if (point->done)
            continue;
        if (progress)
            fprintf(stderr, "\rpoint %d/%d  %s p=%d v=%d m=%d\033[K", i + 1,
                    sweep->count, point->schedule, point->ranks, point->chunks,
                    point->microbatches);
        if ((options->really_run ? run_point : simulate_point)(sweep, point, error) !=
            0)
            return -1;
        if (point->done && file && pp_sweep_file_add(file, options->csv, point, error))
            return -1;
    }
    if (progress)
        fputs("\r\033[K", stderr);
    return 0;
}

/* What all points share: the options without the shapes' lists and the outputs. */
static json_t *shared_config(const struct pp_options *options)
{
    static const char *const not_shared[] = {
        "schedule", "ranks", "chunks",    "microbatches", "json",
        "csv",      "plot",  "keep_data", "quiet",        "color"};
    json_t *config = pp_options_config(options);
    for (size_t i = 0; i < sizeof not_shared / sizeof not_shared[0]; i++)
        json_object_del(config, not_shared[i]);
    return config;
}

static int sweep_all(struct sweep *sweep, struct pp_error *error)
{
    const struct pp_options *options = sweep->options;
    struct pp_terminal terminal = pp_terminal_detect(false);
    json_t *config = shared_config(options);
    FILE *file = NULL;
    int status = list_points(sweep, error), done = 0;
    if (status == 0 && options->json)
        status = pp_output_check(options->json, error);
    if (status == 0 && options->plot &&
        (status = pp_plot_path_check(options->plot, error)) == 0)
        status = pp_output_check(options->plot, error);
    if (status == 0 && options->csv)
        status = pp_sweep_file_open(&file, options->csv, config, sweep->points,
                                    sweep->count, error);
    if (status == 0)
        status = make_points(sweep, file, terminal.errors && !options->quiet, error);
    if (file)
        fclose(file);
    for (int i = 0; i < sweep->count; i++)
        done += sweep->points[i].done;
    bool json_on_stdout = options->json && strcmp(options->json, "-") == 0;
    if (status == 0 && !options->quiet)
        status = pp_sweep_print(sweep->points, sweep->count,
                                json_on_stdout ? stderr : stdout, error);
    if (status == 0 && done == 0)
        status = pp_fail(error, PP_BAD_INPUT, "no point of the sweep is valid: %s",
                         sweep->points[0].invalid);
    if (status == 0 && options->json)
        status = pp_sweep_write_json(sweep->points, sweep->count, config, options->json,
                                     error);
    if (status == 0 && options->plot)
        status = pp_sweep_plot(sweep->points, sweep->count, options->plot,
                               options->keep_data, error);
    json_decref(config);
    return status;
}

int pp_command_sweep(struct pp_options *options)
{
    struct pp_error error = {0};
    struct sweep sweep = {.options = options};
    int status = PP_DONE;
    if (sweep_all(&sweep, &error) != 0)
        status = pp_print_error(&error);
    free(sweep.schedules);
    free(sweep.points);
    return status;
}
