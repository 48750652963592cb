#include "cli/sweep_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/folder.h"
#include "base/words.h"
#include "report/export/json.h"

enum { MOST_ARGUMENTS = 64 };

/* The first line that the run itself printed as an error, behind "ppsim: "; mpiexec
 * prints others around it. */
static void read_reason(const char *path, char *text, size_t size)
{
    static const char mark[] = "ppsim: ";
    char line[1024];
    FILE *file = fopen(path, "r");
    pp_assign(text, size, "the run failed without an error message");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, mark, strlen(mark)) == 0) {
            pp_assign(text, size, "%s", line + strlen(mark));
            break;
        }
    }
    if (file)
        fclose(file);
}

/* Warnings of a run that succeeded. */
static void show_warnings(const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        fputs(line, stderr);
    if (file)
        fclose(file);
}

/* The statuses that this program ends with; any other end is the environment's. */
static enum pp_status status_of(int ended)
{
    int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : PP_ENVIRONMENT;
    return code >= PP_DONE && code <= PP_ENVIRONMENT ? (enum pp_status)code
                                                     : PP_ENVIRONMENT;
}

/* This program again. Returns the signal to end with, 0 for none, -1 if it could not be
 * started. */
static int run_program(char **arguments, const char *output, int *ended,
                       struct pp_error *error)
{
    struct pp_program program = {
        .path = "/proc/self/exe", .arguments = arguments, .output = output};
    pid_t child = pp_program_start(&program);
    int caught = child > 0 ? pp_child_wait(child, ended) : -1;
    if (caught < 0)
        pp_fail(error, PP_ENVIRONMENT, "cannot run a point: %s", strerror(errno));
    return caught;
}

/* Sets the point's status, and its report or the reason why there is none. */
static void read_result(int ended, const char *json, const char *output,
                        struct pp_report *report, struct pp_sweep_point *point)
{
    struct pp_error unread = {0};
    point->status = status_of(ended);
    if (point->status != PP_DONE) {
        read_reason(output, point->reason, sizeof point->reason);
    } else if (pp_report_read_json(report, json, &unread) != 0) {
        point->status = PP_ENVIRONMENT;
        pp_assign(point->reason, sizeof point->reason, "%s", unread.text);
    } else {
        show_warnings(output);
    }
}

/* Runs with the arguments, its files in the folder; returns as run_program. */
static int run_in(const struct pp_folder *folder, char **arguments, int count,
                  struct pp_report *report, struct pp_sweep_point *point,
                  struct pp_error *error)
{
    char *option = NULL, *json = pp_folder_file(folder, "report.json", error);
    char *output = pp_folder_file(folder, "output", error);
    int ended = 0, caught = -1;
    if (json && output && asprintf(&option, "--json=%s", json) >= 0) {
        arguments[count] = option;
        caught = run_program(arguments, output, &ended, error);
        if (caught >= 0)
            read_result(ended, json, output, report, point);
        free(option);
    } else {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a run");
    }
    free(json);
    free(output);
    return caught;
}

int pp_sweep_run(struct pp_report *report, struct pp_sweep_point *point,
                 const struct pp_options *options, struct pp_error *error)
{
    char command[] = "run", quiet[] = "--quiet", *schedule;
    char *arguments[MOST_ARGUMENTS + 1] = {options->argv[0], command, quiet};
    struct pp_folder folder;
    int count = 3, caught = -1;
    int passed = count + 1;
    if (asprintf(&schedule, "--schedule=%s", point->schedule) < 0)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a run");
    arguments[count++] = schedule;
    int more = pp_options_pass_on(options, PP_RUN, arguments + count,
                                  MOST_ARGUMENTS - count - 1);
    if (more < 0) {
        free(schedule);
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a run");
    }
    count += more;
    int end = count;
    if (pp_folder_init(&folder, "sweep", error) == 0)
        caught = run_in(&folder, arguments, count, report, point, error);
    pp_folder_release(&folder);
    for (int i = passed; i < end; i++)
        free(arguments[i]);
    free(schedule);
    if (caught > 0) /* all is tidy: end as the user wanted */
        raise(caught);
    return caught < 0 ? -1 : 0;
}
