#include "run/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "run/world.h"

/* mpiexec uses small statuses for its own failures, so ranks of a world started here
 * return theirs above this. */
enum { STATUS_BASE = 64 };
static const char launched_here[] = "PPSIM_LAUNCHED";

bool pp_launched(void)
{
    /* Not SLURM_PROCID: a batch script has it too, without ranks having been started.
     */
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

bool pp_launched_by_user(void)
{
    return pp_launched() && !getenv(launched_here);
}

int pp_launched_rank(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                                        "PMI_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *rank = getenv(names[i]);
        if (rank)
            return atoi(rank);
    }
    return 0;
}

/* Can one process read another's memory in one copy? Containers often forbid the call;
 * Open MPI would then complain on every rank before it falls back. */
static bool single_copy_works(void)
{
    char from = 1, to = 0;
    struct iovec remote = {&from, 1}, local = {&to, 1};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == 1;
}

/* For this process, for mpiexec and for its ranks. hwloc's GL component looks for X
 * servers, on behalf of Open MPI, which can take many seconds where names are not
 * resolved; later versions of hwloc leave it out too. Without /sys hwloc asks the CPU
 * instead, and each process would say so: what was found is in the report. */
static void set_hwloc_environment(void)
{
    setenv("HWLOC_COMPONENTS", "-gl", 0);
    setenv("HWLOC_HIDE_ERRORS", "2", 0);
}

static void set_mpi_environment(void)
{
    const char *local = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    cpu_set_t cpus;
    if (!single_copy_works())
        setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
    /* Ranks that share cores must not spin inside MPI. Open MPI sees that only if its
     * slots are oversubscribed, not if the user has claimed more slots than cores. */
    if (local && sched_getaffinity(0, sizeof cpus, &cpus) == 0 &&
        atoi(local) > CPU_COUNT(&cpus))
        setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
}

void pp_world_enter(int *rank, int *ranks)
{
    set_hwloc_environment();
    set_mpi_environment();
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, rank);
    MPI_Comm_size(MPI_COMM_WORLD, ranks);
}

int pp_world_agree(int status, struct pp_error *error)
{
    struct pp_world world = {.comm = MPI_COMM_WORLD};
    MPI_Comm_rank(world.comm, &world.rank);
    MPI_Comm_size(world.comm, &world.size);
    return pp_agree(&world, status, error);
}

int pp_world_leave(int status)
{
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    /* mpiexec ends the others as soon as one has failed: let all get here, and have
     * rank 0 alone, which has printed, carry the status. */
    fflush(stdout);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    if (rank != 0)
        return 0;
    return status != 0 && getenv(launched_here) ? STATUS_BASE + status : status;
}

/* What becomes mpiexec, and the pipes between it and this process. */
struct mpiexec {
    int ranks;
    char **argv;       /* of this process */
    char self[4096];   /* path of this program */
    int output[2];     /* pipe: what the ranks print */
    int exec_errno[2]; /* pipe: the errno of an exec that failed; empty if it did not */
};

/* Fills in what the child needs: this program's path, the pipes, the environment.
 * Returns -1 with errno set. */
static int prepare(struct mpiexec *mpiexec, int threads)
{
    char blas_threads[16];
    ssize_t length =
        readlink("/proc/self/exe", mpiexec->self, sizeof mpiexec->self - 1);
    if (length < 0 || pipe(mpiexec->output) != 0 || pipe(mpiexec->exec_errno) != 0)
        return -1;
    mpiexec->self[length] = '\0';
    setenv(launched_here, "1", 1);
    set_hwloc_environment();
    /* OpenBLAS starts its threads when it is loaded, one per core, wanted or not. */
    snprintf(blas_threads, sizeof blas_threads, "%d", threads);
    /* mpiexec then passes Ctrl-Z on to the ranks. */
    setenv("OMPI_MCA_orte_forward_job_control", "1", 0);
    setenv("OPENBLAS_NUM_THREADS", blas_threads, 0);
    return 0;
}

static void close_end(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

static void close_pipes(struct mpiexec *mpiexec)
{
    for (int i = 0; i < 2; i++) {
        close_end(&mpiexec->output[i]);
        close_end(&mpiexec->exec_errno[i]);
    }
}

/* The ranks have none of this process's files: where a path names one, as a shell's
 * >(command) does, they are to open it through this process. */
static char *path_for_ranks(const char *argument, pid_t launcher)
{
    static const char *const own[] = {"/dev/fd/", "/proc/self/fd/"};
    static const char standard_input[] = "/dev/stdin";
    char *text = NULL;
    if (strcmp(argument, standard_input) == 0)
        argument = "/dev/fd/0";
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        const char *found = strstr(argument, own[i]);
        if (found && (found == argument || found[-1] == '=') &&
            asprintf(&text, "%.*s/proc/%d/fd/%s", (int)(found - argument), argument,
                     (int)launcher, found + strlen(own[i])) >= 0)
            return text;
    }
    return strdup(argument);
}

/* mpiexec's command line: its own options, then this program and its arguments. NULL
 * when out of memory. */
static char **command_line(const struct mpiexec *mpiexec)
{
    char count[16];
    snprintf(count, sizeof count, "%d", mpiexec->ranks);
    /* Debian's mpiexec may be another MPI's; the suffixed one is Open MPI's. */
    const char *const own[] = {"mpiexec.openmpi",
                               "--allow-run-as-root",
                               "--oversubscribe",
                               "--bind-to",
                               "none",
                               "--quiet",
                               "--stdin",
                               "none",
                               "-n",
                               count,
                               mpiexec->self};
    enum { OWN = sizeof own / sizeof own[0] };
    int arguments = 0;
    while (mpiexec->argv[arguments])
        arguments++;
    char **command = calloc((size_t)(OWN + arguments + 1), sizeof *command);
    bool complete = command != NULL;
    for (int i = 0; i < OWN && complete; i++)
        complete = (command[i] = strdup(own[i])) != NULL;
    for (int i = 1; i < arguments && complete; i++) {
        char **place = &command[OWN + i - 1];
        *place = path_for_ranks(mpiexec->argv[i], getppid());
        complete = *place != NULL;
    }
    return complete ? command : NULL;
}

/* The child. Writes errno into its pipe if it cannot become mpiexec; if it can, exec
 * closes that pipe. */
static void become_mpiexec(void *data)
{
    struct mpiexec *mpiexec = data;
    close_end(&mpiexec->exec_errno[0]);
    close_end(&mpiexec->output[0]);
    /* The terminal's input is the user's: a background group that reads it is stopped.
     */
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(input, STDIN_FILENO) != STDIN_FILENO ||
        dup2(mpiexec->output[1], STDOUT_FILENO) != STDOUT_FILENO ||
        close(mpiexec->output[1]) != 0 ||
        fcntl(mpiexec->exec_errno[1], F_SETFD, FD_CLOEXEC) != 0)
        _exit(127);
    char **command = command_line(mpiexec);
    if (command) {
        execvp(command[0], command);
        command[0] = (char[]){"mpiexec"};
        execvp(command[0], command);
    }
    int reason = errno;
    if (write(mpiexec->exec_errno[1], &reason, sizeof reason) < 0)
        _exit(126);
    _exit(127);
}

/* Waits until the child has become mpiexec: 0; or has failed to: its errno. */
static int wait_for_exec(int from)
{
    int reason = 0;
    ssize_t got;
    do
        got = read(from, &reason, sizeof reason);
    while (got < 0 && errno == EINTR);
    return got > 0 ? reason : 0;
}

/* Passes on what the ranks print, to its end. Where that cannot be written, the rest is
 * read and dropped: if this process stopped reading, mpiexec would end the ranks, which
 * may still have files to write. Returns the errno of the write that failed, or 0. */
static int pass_output(int from)
{
    char buffer[1 << 16];
    int failed = 0;
    for (;;) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got == 0 || (got < 0 && errno != EINTR))
            return failed;
        for (ssize_t at = 0; at < got && failed == 0;) {
            ssize_t put = write(STDOUT_FILENO, buffer + at, (size_t)(got - at));
            if (put >= 0)
                at += put;
            else if (errno != EINTR)
                failed = errno;
        }
    }
}

static int exit_status(int wait_status, int ranks)
{
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
    if (WIFEXITED(wait_status) && code == 0)
        return PP_DONE;
    if (code > STATUS_BASE && code <= STATUS_BASE + PP_ENVIRONMENT)
        return code - STATUS_BASE;
    if (code > 128 && code - 128 < NSIG)
        fprintf(stderr, "ppsim: one of %d ranks was killed by signal %d (%s)\n", ranks,
                code - 128, strsignal(code - 128));
    else if (WIFSIGNALED(wait_status))
        fprintf(stderr, "ppsim: mpiexec was killed by signal %d (%s)\n",
                WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        fprintf(stderr,
                "ppsim: mpiexec ended with status %d: a rank failed, or the "
                "ranks could not be started\n",
                code);
    return PP_ENVIRONMENT;
}

static void end_by_signal(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

int pp_launch(int ranks, int threads, char **argv, int *status, struct pp_error *error)
{
    struct mpiexec mpiexec = {
        .ranks = ranks, .argv = argv, .output = {-1, -1}, .exec_errno = {-1, -1}};
    int wait_status = 0;
    fflush(stdout);
    pid_t child =
        prepare(&mpiexec, threads) == 0 ? pp_child_start(become_mpiexec, &mpiexec) : -1;
    if (child < 0) {
        pp_fail(error, PP_ENVIRONMENT, "cannot start ranks: %s", strerror(errno));
        close_pipes(&mpiexec);
        return -1;
    }
    /* A reader that leaves is found by write(), below. */
    signal(SIGPIPE, SIG_IGN);
    /* Both pipes end when the child's ends, now the only ones, are closed. */
    close_end(&mpiexec.exec_errno[1]);
    close_end(&mpiexec.output[1]);
    int exec_failed = wait_for_exec(mpiexec.exec_errno[0]);
    int write_failed = pass_output(mpiexec.output[0]);
    close_pipes(&mpiexec);

    int passed_on = pp_child_wait(child, &wait_status);
    if (passed_on < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot wait for 'mpiexec': %s",
                       strerror(errno));
    /* The ranks have ended: now this process ends as the user, or its reader, wanted.
     */
    if (passed_on > 0)
        end_by_signal(passed_on);
    if (write_failed == EPIPE)
        end_by_signal(SIGPIPE);
    if (exec_failed)
        return pp_fail(error, PP_ENVIRONMENT,
                       "cannot start 'mpiexec': %s: is Open MPI (Debian: openmpi-bin) "
                       "installed",
                       strerror(exec_failed));
    *status = exit_status(wait_status, ranks);
    if (*status == PP_DONE && write_failed)
        return pp_fail(error, PP_ENVIRONMENT, "cannot write to standard output: %s",
                       strerror(write_failed));
    return 0;
}
