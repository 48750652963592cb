#include "cli/sweep_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "report/export/json.h"
enum { MOST_ARGUMENTS = 64 };

/* This program again, its stderr going to a file. */
struct program {
    char **arguments;
    const char *errors;
};

static void become_run(void *data)
{
    const struct program *program = data;
    int file = open(program->errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file >= 0)
        dup2(file, STDERR_FILENO);
    execv("/proc/self/exe", program->arguments);
    _exit(PP_ENVIRONMENT);
}

/* What the run said first for itself, behind its "ppsim: "; mpiexec says much. */
static void read_reason(const char *path, char *text, size_t size)
{
    static const char mark[] = "ppsim: ";
    char line[1024];
    FILE *file = fopen(path, "r");
    snprintf(text, size, "the run ended without a word");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, mark, strlen(mark)) == 0) {
            snprintf(text, size, "%.*s", (int)size - 1, line + strlen(mark));
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

/* Runs with the arguments, its files in the directory. Returns the signal to end with,
 * 0 for none, -1 if it could not be started. */
static int run_in(const char *directory, char **arguments, int count,
                  struct pp_report *report, struct pp_sweep_point *point,
                  struct pp_error *error)
{
    struct pp_error unread = {0};
    char *output = NULL, *errors = NULL;
    int ended = 0, caught = -1;
    if (asprintf(&output, "--json=%s/report.json", directory) < 0)
        output = NULL;
    if (asprintf(&errors, "%s/errors", directory) < 0)
        errors = NULL;
    if (!output || !errors) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a run");
        goto done;
    }
    const char *json = strchr(output, '=') + 1;
    arguments[count] = output;
    pid_t child = pp_child_start(become_run, &(struct program){arguments, errors});
    if (child > 0)
        caught = pp_child_wait(child, &ended);
    if (caught < 0) {
        pp_fail(error, PP_ENVIRONMENT, "cannot run a point: %s", strerror(errno));
    } else {
        point->status = status_of(ended);
        if (point->status != PP_DONE) {
            read_reason(errors, point->reason, sizeof point->reason);
        } else if (pp_report_read_json(report, json, &unread) != 0) {
            point->status = PP_ENVIRONMENT;
            snprintf(point->reason, sizeof point->reason, "%.*s",
                     (int)sizeof point->reason - 1, unread.text);
        } else {
            show_warnings(errors);
        }
    }
    unlink(json);
    unlink(errors);
done:
    free(output);
    free(errors);
    return caught;
}

int pp_sweep_run(struct pp_report *report, struct pp_sweep_point *point,
                 const struct pp_options *options, struct pp_error *error)
{
    char command[] = "run", quiet[] = "--quiet", shape[3][64], *schedule, *directory;
    char *arguments[MOST_ARGUMENTS + 1] = {options->argv[0], command, quiet};
    const char *parent = getenv("TMPDIR");
    int count = 3, caught = -1;
    snprintf(shape[0], sizeof shape[0], "--ranks=%d", point->ranks);
    snprintf(shape[1], sizeof shape[1], "--chunks=%d", point->chunks);
    snprintf(shape[2], sizeof shape[2], "--microbatches=%d", point->microbatches);
    for (int i = 0; i < 3; i++)
        arguments[count++] = shape[i];
    int passed = count + 1;
    if (asprintf(&schedule, "--schedule=%s", point->schedule) < 0)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for a run");
    arguments[count++] = schedule;
    count += pp_options_pass_on(options, PP_RUN, arguments + count,
                                MOST_ARGUMENTS - count - 1);
    int end = count;
    if (asprintf(&directory, "%s/ppsim-sweep-XXXXXX",
                 parent && parent[0] ? parent : "/tmp") < 0) {
        directory = NULL;
        pp_fail(error, PP_ENVIRONMENT, "out of memory for a run");
    } else if (!mkdtemp(directory)) {
        pp_fail(error, PP_ENVIRONMENT, "cannot make the directory '%s': %s", directory,
                strerror(errno));
    } else {
        caught = run_in(directory, arguments, count, report, point, error);
        rmdir(directory);
    }
    for (int i = passed; i < end; i++)
        free(arguments[i]);
    free(schedule);
    free(directory);
    if (caught > 0) /* all is tidy: end as the user wanted */
        raise(caught);
    return caught < 0 ? -1 : 0;
}
