#include "run/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "run/hosts.h"
#include "run/lair.h"
#include "run/mpiexec.h"
#include "run/pulse.h"
#include "run/stop.h"
#include "run/supervise.h"
#include "run/topology.h"
#include "run/version.h"
#include "run/world.h"

bool pp_launched(void)
{
    /* A launcher gives a rank and the name or size of its world. A rank alone is what a
     * job has inherited in which there is no such world; so is SLURM_PROCID, which a
     * batch script has too. */
    static const char *const given[][2] = {{"OMPI_COMM_WORLD_RANK", "PMIX_NAMESPACE"},
                                           {"PMIX_RANK", "PMIX_NAMESPACE"},
                                           {"PMI_RANK", "PMI_SIZE"}};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (getenv(given[i][0]) && getenv(given[i][1]))
            return true;
    }
    return false;
}

bool pp_launched_by_user(void)
{
    return pp_launched() && !pp_lair_told();
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

bool pp_launch_oversubscribes(int ranks, int threads)
{
    set_hwloc_environment();
    int cores = pp_topology_cores();
    return cores > 0 && (double)ranks * threads > cores;
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

int pp_world_enter(const char *version, int *rank, int *ranks, struct pp_error *error)
{
    int provided;
    pp_stop_listen();
    set_hwloc_environment();
    pp_pulse_start();
    set_mpi_environment();
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, rank);
    MPI_Comm_size(MPI_COMM_WORLD, ranks);
    return pp_version_agree(MPI_COMM_WORLD, version, error);
}

void pp_world_watch(double timeout_s)
{
    pp_pulse_watch(timeout_s);
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
    pp_pulse_watch_end();
    MPI_Finalize();
    pp_pulse_stop();
    if (rank != 0)
        return 0;
    if (!pp_lair_told())
        return status;
    if (status != PP_DONE)
        return pp_lair_status(status);
    fwrite(pp_verdict, PP_VERDICT, 1, stdout);
    return fflush(stdout) == 0 ? PP_DONE : pp_lair_status(PP_ENVIRONMENT);
}

/* What becomes mpiexec, and the pipes between it and this process. */
struct mpiexec {
    struct pp_mpiexec command;
    int input[2];      /* pipe: what rank 0 reads; -1: nothing */
    int output[2];     /* pipe: what the ranks print */
    int exec_errno[2]; /* pipe: the errno of an exec that failed; empty if it did not */
};

/* mpiexec and its daemons on other hosts hear of a cut link, or of a host without
 * power, from TCP alone, which by itself asks after minutes: let it ask after a quarter
 * of the timeout, and give up after another half. Where messages of mpiexec are under
 * way it does not ask, but sends them again; that is rare. */
static int set_keepalive(double timeout_s)
{
    /* Linux takes no larger ones. */
    const double most_s = 32767, first = fmin(fmax(1, floor(timeout_s / 4)), most_s);
    const double between = fmin(fmax(1, floor(timeout_s / 20)), most_s);
    const double times = fmin(fmax(1, floor(timeout_s / 2 / between)), 10);
    char text[3][16];
    if (timeout_s == 0)
        return 0;
    snprintf(text[0], sizeof text[0], "%.0f", first);
    snprintf(text[1], sizeof text[1], "%.0f", between);
    snprintf(text[2], sizeof text[2], "%.0f", times);
    return setenv("OMPI_MCA_oob_tcp_keepalive_time", text[0], 0) |
           setenv("OMPI_MCA_oob_tcp_keepalive_intvl", text[1], 0) |
           setenv("OMPI_MCA_oob_tcp_keepalive_probes", text[2], 0);
}

/* Fills in what the child needs: this program's path, the pipes, the environment.
 * Returns -1 with errno set. */
static int prepare(struct mpiexec *mpiexec, double timeout_s)
{
    char *self = mpiexec->command.self;
    ssize_t length = readlink("/proc/self/exe", self, sizeof mpiexec->command.self - 1);
    if (length < 0 || pipe(mpiexec->output) != 0 || pipe(mpiexec->exec_errno) != 0 ||
        (mpiexec->command.passes_input && pipe2(mpiexec->input, O_CLOEXEC) != 0))
        return -1;
    self[length] = '\0';
    set_hwloc_environment();
    if (mpiexec->command.hosts && set_keepalive(timeout_s) != 0)
        return -1;
    /* Whom mpiexec ends has a second to note that it was told to (pp_note_told). */
    return setenv("OMPI_MCA_odls_base_sigkill_timeout", "1", 1);
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
        close_end(&mpiexec->input[i]);
        close_end(&mpiexec->output[i]);
        close_end(&mpiexec->exec_errno[i]);
    }
}

/* What stops a run goes to its ranks, which end by themselves, and mpiexec then too. It
 * passes SIGUSR1 on to them, but SIGTERM and SIGINT would make it end them: those do
 * not reach it, though a batch system sends them to every process of a job. SIGHUP ends
 * it and them. */
static const struct pp_child_signals signals = {.ask = SIGUSR1, .end = SIGHUP};

static void set_signals(void)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGUSR1, SIG_IGN); /* until it listens */
    signal(SIGHUP, SIG_DFL);  /* nohup is for those who started this */
}

/* The child. Writes errno into its pipe if it cannot become mpiexec; if it can, exec
 * closes that pipe. */
static void become_mpiexec(void *data)
{
    struct mpiexec *mpiexec = data;
    close_end(&mpiexec->exec_errno[0]);
    close_end(&mpiexec->output[0]);
    set_signals();
    /* The terminal's input is the user's: a background group that reads it is stopped.
     */
    int input = mpiexec->input[0] >= 0 ? mpiexec->input[0]
                                       : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(input, STDIN_FILENO) != STDIN_FILENO ||
        dup2(mpiexec->output[1], STDOUT_FILENO) != STDOUT_FILENO ||
        close(mpiexec->output[1]) != 0 ||
        fcntl(mpiexec->exec_errno[1], F_SETFD, FD_CLOEXEC) != 0)
        _exit(127);
    char **command = pp_mpiexec_words(&mpiexec->command, getppid());
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

/* The status that rank 0 gave pp_world_leave, if that was not PP_DONE; -1: it has not
 * come to that. */
static int status_of_rank_0(int wait_status)
{
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) - PP_STATUS_BASE : 0;
    bool given = (code > 0 && code <= PP_ENVIRONMENT) || code == PP_INTERRUPTED ||
                 code == PP_TERMINATED;
    return given ? code : -1;
}

/* What became of the ranks where rank 0 did not come to its end. */
static void tell_end(int wait_status, const char *hosts,
                     const struct pp_status_page *page, struct pp_error *error)
{
    enum { LOST_HOST = 205 }; /* Open MPI's ORTE_ERR_COMM_FAILURE, -51, as a status */
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
    /* As a shell tells it, mpiexec does of the first rank that failed. */
    const char *name = code > 128 ? sigabbrev_np(code - 128) : NULL;
    char how[80];
    if (WIFSIGNALED(wait_status)) {
        pp_fail(error, PP_ENVIRONMENT, "mpiexec was killed by SIG%s",
                sigabbrev_np(WTERMSIG(wait_status)));
        return;
    }
    if (hosts && code == LOST_HOST) {
        pp_fail(error, PP_ENVIRONMENT,
                "a host of '%s' is lost: mpiexec hears no more of its ranks", hosts);
        return;
    }
    if (code == 0) {
        pp_fail(
            error, PP_ENVIRONMENT,
            "mpiexec ended as if all were well, but rank 0 did not come to its end");
        return;
    }
    if (name)
        snprintf(how, sizeof how, "was killed by SIG%s%s", name,
                 code - 128 == SIGKILL ? " (as where memory is short)" : "");
    else
        snprintf(how, sizeof how, "exited with status %d", code);
    if (!pp_watch_tell_ended(page, how, error))
        pp_fail(error, PP_ENVIRONMENT,
                "one of %d ranks %s, or the ranks could not be started", page->ranks,
                how);
}

/* Where Open MPI cannot make its files of shared memory, mpiexec waits for ever. */
static int check_file_limit(struct pp_error *error)
{
    enum { NEEDED = 32 << 20 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= NEEDED)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT,
                   "cannot start ranks: files may have %llu bytes ('ulimit -f'), Open "
                   "MPI's shared memory needs %d",
                   (unsigned long long)limit.rlim_cur, NEEDED);
}

static void end_by_signal(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

/* mpiexec says of a file without hosts that there are no resources. */
static int check_hosts(const char *path, struct pp_error *error)
{
    struct pp_hosts hosts;
    if (path && pp_hosts_read(&hosts, path, error) != 0)
        return -1;
    if (path)
        pp_hosts_release(&hosts);
    return 0;
}

/* What came of mpiexec. */
struct end {
    int wait_status;
    int passed_on; /* the last signal that was passed on to it; 0 */
    struct pp_passed passed;
};

/* A thread: what this process would read goes into the pipe, until it ends. It takes no
 * signal. Where nobody reads the pipe any more, write() says so. */
static void *pass_input(void *data)
{
    int into = *(int *)data;
    char text[1 << 12];
    ssize_t got, put = 0;
    free(data);
    while (put >= 0 && (got = read(STDIN_FILENO, text, sizeof text)) > 0) {
        for (ssize_t at = 0; at < got && put >= 0; at += put)
            put = write(into, text + at, (size_t)(got - at));
    }
    close(into);
    return NULL;
}

/* The thread may wait for the terminal for ever: it ends with this process. */
static int start_input(struct mpiexec *mpiexec, struct pp_error *error)
{
    sigset_t all, before;
    pthread_t thread;
    if (mpiexec->input[0] < 0)
        return 0;
    close_end(&mpiexec->input[0]);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int *into = malloc(sizeof *into); /* the thread's, which may outlive all this */
    if (into)
        *into = mpiexec->input[1];
    int reason = into ? pthread_create(&thread, NULL, pass_input, into) : ENOMEM;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason != 0) {
        free(into);
        return pp_fail(error, PP_ENVIRONMENT, "cannot start a thread: %s",
                       strerror(reason));
    }
    mpiexec->input[1] = -1; /* the thread's */
    pthread_detach(thread);
    return 0;
}

/* Starts mpiexec and looks after it to its end. */
static int run_mpiexec(struct mpiexec *mpiexec, const struct pp_lair *lair,
                       double timeout_s, struct end *end, struct pp_error *error)
{
    pid_t child = prepare(mpiexec, timeout_s) == 0
                      ? pp_child_start(become_mpiexec, mpiexec, &signals)
                      : -1;
    if (child < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot start ranks: %s",
                       strerror(errno));
    /* A reader that leaves is found by write(). */
    signal(SIGPIPE, SIG_IGN);
    /* Both pipes end when the child's ends, now the only ones, are closed. */
    close_end(&mpiexec->exec_errno[1]);
    close_end(&mpiexec->output[1]);
    int exec_failed = wait_for_exec(mpiexec->exec_errno[0]);
    if (start_input(mpiexec, error) != 0)
        kill(child, SIGKILL);
    pp_supervise(child, mpiexec->output[0], lair->page, timeout_s, &end->passed, error);
    end->passed_on = pp_child_wait(child, &end->wait_status);
    if (end->passed_on < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot wait for 'mpiexec': %s",
                       strerror(errno));
    if (exec_failed)
        return pp_fail(error, PP_ENVIRONMENT,
                       "cannot start 'mpiexec': %s: is Open MPI (Debian: openmpi-bin) "
                       "installed",
                       strerror(exec_failed));
    return error->lines > 0 ? -1 : 0;
}

int pp_launch(int ranks, const char *hosts, char **argv, bool passes_input,
              double timeout_s, int *status, struct pp_error *error)
{
    struct mpiexec mpiexec = {.command = {.ranks = ranks,
                                          .hosts = hosts,
                                          .argv = argv,
                                          .passes_input = passes_input},
                              .input = {-1, -1},
                              .output = {-1, -1},
                              .exec_errno = {-1, -1}};
    struct end end = {0};
    struct pp_lair lair;
    if (check_hosts(hosts, error) != 0 || check_file_limit(error) != 0 ||
        pp_lair_init(&lair, ranks, error) != 0)
        return -1;
    fflush(stdout);
    int ran = run_mpiexec(&mpiexec, &lair, timeout_s, &end, error);
    close_pipes(&mpiexec);
    int code = ran == 0 ? status_of_rank_0(end.wait_status) : -1;
    bool done = end.passed.complete && end.wait_status == 0;
    if (ran == 0 && code < 0 && !done && end.passed_on == 0)
        tell_end(end.wait_status, hosts, lair.page, error);
    pp_lair_release(&lair);
    /* The ranks have ended: now this process ends as the user, or its reader, wanted;
     * unless they had come to their end before, or have more to say than that they were
     * stopped. */
    if (end.passed_on > 0 && !end.passed.complete &&
        (code < 0 || code > PP_ENVIRONMENT))
        end_by_signal(end.passed_on);
    if (end.passed.write_failed == EPIPE)
        end_by_signal(SIGPIPE);
    if (ran == 0 && done && end.passed.write_failed)
        pp_fail(error, PP_ENVIRONMENT, "cannot write to standard output: %s",
                strerror(end.passed.write_failed));
    *status = code >= 0 ? code : error->lines > 0 ? PP_ENVIRONMENT : PP_DONE;
    return error->lines > 0 && !end.passed.complete ? -1 : 0;
}
