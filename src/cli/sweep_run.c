#include "cli/sweep_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 64 };

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDING = sizeof ending / sizeof ending[0] };

static volatile sig_atomic_t running, caught;

static void pass_on(int number)
{
    caught = number;
    kill((pid_t)running, number);
}

/* The child: this program again, its stderr going to a file. */
static void become_run(char **arguments, const char *errors, const sigset_t *mask)
{
    int file = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file >= 0)
        dup2(file, STDERR_FILENO);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execv("/proc/self/exe", arguments);
    _exit(PP_ENVIRONMENT);
}

/* Starts the child and waits for it. Returns how it ended, as waitpid tells; -1 with
 * the error set if it could not be started. caught is then the signal to end with. */
static int run_program(char **arguments, const char *errors, struct pp_error *error)
{
    struct sigaction before[ENDING];
    sigset_t block, mask;
    int status = 0;
    sigemptyset(&block);
    for (int i = 0; i < ENDING; i++)
        sigaddset(&block, ending[i]);
    /* No signal may come while it is not known whom to pass it on to. */
    sigprocmask(SIG_BLOCK, &block, &mask);
    pid_t pid = fork();
    if (pid == 0)
        become_run(arguments, errors, &mask);
    if (pid < 0) {
        sigprocmask(SIG_SETMASK, &mask, NULL);
        return pp_fail(error, PP_ENVIRONMENT, "cannot start a run: %s",
                       strerror(errno));
    }
    running = (sig_atomic_t)pid;
    for (int i = 0; i < ENDING; i++) {
        sigaction(ending[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* nohup's is to stay */
            sigaction(ending[i], &(struct sigaction){.sa_handler = pass_on}, NULL);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    pid_t waited;
    while ((waited = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        ;
    int reason = errno;
    for (int i = 0; i < ENDING; i++)
        sigaction(ending[i], &before[i], NULL);
    if (waited < 0)
        return pp_fail(error, PP_ENVIRONMENT, "lost a run: %s", strerror(reason));
    return status;
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

/* Runs with the arguments, its files in the directory. */
static int run_in(const char *directory, char **arguments, int count,
                  struct pp_report *report, struct pp_sweep_point *point,
                  struct pp_error *error)
{
    struct pp_error unread = {0};
    char *output = NULL, *errors = NULL;
    int result = -1, ended;
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
    ended = run_program(arguments, errors, error);
    if (ended >= 0) {
        result = 0;
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
    return result;
}

int pp_sweep_run(struct pp_report *report, struct pp_sweep_point *point,
                 const struct pp_options *options, struct pp_error *error)
{
    char command[] = "run", quiet[] = "--quiet", shape[3][64], *schedule, *directory;
    char *arguments[MOST_ARGUMENTS + 1] = {options->argv[0], command, quiet};
    const char *parent = getenv("TMPDIR");
    int count = 3, result = -1;
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
        result = run_in(directory, arguments, count, report, point, error);
        rmdir(directory);
    }
    for (int i = passed; i < end; i++)
        free(arguments[i]);
    free(schedule);
    free(directory);
    if (caught) /* all is tidy: end as the user wanted */
        raise(caught);
    return result;
}
