#include "run/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
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
#include "run/mpiexec.h"
#include "run/stop.h"
#include "run/topology.h"
#include "run/version.h"
#include "run/world.h"

/* mpiexec uses small statuses for its own failures, so ranks of a world started here
 * return theirs above this. */
enum { STATUS_BASE = 64 };

/* What rank 0 prints last if all went well, since that mpiexec ended well does not say
 * that rank 0 has come to its end and judged. No text that it prints holds a zero byte.
 */
static const char verdict[] = "\0done";
enum { VERDICT = sizeof verdict - 1 };

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
    return pp_launched() && !getenv(PP_LAUNCHED);
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
    pp_stop_listen();
    set_hwloc_environment();
    set_mpi_environment();
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, rank);
    MPI_Comm_size(MPI_COMM_WORLD, ranks);
    return pp_version_agree(MPI_COMM_WORLD, version, error);
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
    if (!getenv(PP_LAUNCHED))
        return status;
    if (status != PP_DONE)
        return STATUS_BASE + status;
    fwrite(verdict, VERDICT, 1, stdout);
    return fflush(stdout) == 0 ? PP_DONE : STATUS_BASE + PP_ENVIRONMENT;
}

/* What becomes mpiexec, and the pipes between it and this process. */
struct mpiexec {
    struct pp_mpiexec command;
    int output[2];     /* pipe: what the ranks print */
    int exec_errno[2]; /* pipe: the errno of an exec that failed; empty if it did not */
};

/* Fills in what the child needs: this program's path, the pipes, the environment.
 * Returns -1 with errno set. */
static int prepare(struct mpiexec *mpiexec)
{
    char *self = mpiexec->command.self;
    ssize_t length = readlink("/proc/self/exe", self, sizeof mpiexec->command.self - 1);
    if (length < 0 || pipe(mpiexec->output) != 0 || pipe(mpiexec->exec_errno) != 0)
        return -1;
    self[length] = '\0';
    /* What mpiexec ends shall end: there is nothing left to be tidied up. */
    setenv("OMPI_MCA_odls_base_sigkill_timeout", "0", 0);
    set_hwloc_environment();
    return setenv(PP_LAUNCHED, "1", 1);
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
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
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

/* What became of what the ranks print. */
struct output {
    int write_failed; /* the errno of the write that failed; 0 */
    size_t verdict;   /* how much of the verdict has come */
};

static void pass_text(struct output *output, const char *text, size_t length)
{
    for (size_t at = 0; at < length && output->write_failed == 0;) {
        ssize_t put = write(STDOUT_FILENO, text + at, length - at);
        if (put >= 0)
            at += (size_t)put;
        else if (errno != EINTR)
            output->write_failed = errno;
    }
}

/* Passes on what the ranks print, to its end, but for the verdict. Where that cannot be
 * written, the rest is read and dropped: if this process stopped reading, mpiexec would
 * end the ranks, which may still have files to write. */
static void pass_output(int from, struct output *output)
{
    char buffer[1 << 16];
    ssize_t got;
    while ((got = read(from, buffer, sizeof buffer)) > 0 ||
           (got < 0 && errno == EINTR)) {
        size_t length = got > 0 ? (size_t)got : 0, at = 0;
        while (at < length && output->verdict == 0 && buffer[at] != verdict[0])
            at++;
        pass_text(output, buffer, at);
        for (; at < length && output->verdict < VERDICT; at++) {
            if (buffer[at] != verdict[output->verdict])
                break;
            output->verdict++;
        }
    }
}

/* What this process is to exit with; what no rank could tell is in the error. */
static int exit_status(int wait_status, bool done, int ranks, struct pp_error *error)
{
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
    if (WIFEXITED(wait_status) && code == 0 && done)
        return PP_DONE;
    if ((code > STATUS_BASE && code <= STATUS_BASE + PP_ENVIRONMENT) ||
        code == STATUS_BASE + PP_INTERRUPTED || code == STATUS_BASE + PP_TERMINATED)
        return code - STATUS_BASE;
    if (WIFEXITED(wait_status) && code == 0)
        pp_fail(
            error, PP_ENVIRONMENT,
            "mpiexec ended as if all were well, but rank 0 did not come to its end");
    else if (code > 128 && code - 128 < NSIG)
        pp_fail(error, PP_ENVIRONMENT, "one of %d ranks was killed by signal %d (%s)",
                ranks, code - 128, strsignal(code - 128));
    else if (WIFSIGNALED(wait_status))
        pp_fail(error, PP_ENVIRONMENT, "mpiexec was killed by signal %d (%s)",
                WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        pp_fail(
            error, PP_ENVIRONMENT,
            "mpiexec ended with status %d: a rank failed, or the ranks could not be "
            "started",
            code);
    return PP_ENVIRONMENT;
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

int pp_launch(int ranks, const char *hosts, char **argv, int *status,
              struct pp_error *error)
{
    struct mpiexec mpiexec = {.command = {.ranks = ranks, .hosts = hosts, .argv = argv},
                              .output = {-1, -1},
                              .exec_errno = {-1, -1}};
    struct output output = {0};
    int wait_status = 0;
    if (check_hosts(hosts, error) != 0 || check_file_limit(error) != 0)
        return -1;
    fflush(stdout);
    pid_t child = prepare(&mpiexec) == 0
                      ? pp_child_start(become_mpiexec, &mpiexec, &signals)
                      : -1;
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
    pass_output(mpiexec.output[0], &output);
    close_pipes(&mpiexec);

    int passed_on = pp_child_wait(child, &wait_status);
    if (passed_on < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot wait for 'mpiexec': %s",
                       strerror(errno));
    /* The ranks have ended: now this process ends as the user, or its reader, wanted;
     * unless they had come to their end before, or have more to say than that they were
     * stopped. */
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) - STATUS_BASE : -1;
    bool own_end = output.verdict == VERDICT || (code > 0 && code <= PP_ENVIRONMENT);
    if (passed_on > 0 && !own_end)
        end_by_signal(passed_on);
    if (output.write_failed == EPIPE)
        end_by_signal(SIGPIPE);
    if (exec_failed)
        return pp_fail(error, PP_ENVIRONMENT,
                       "cannot start 'mpiexec': %s: is Open MPI (Debian: openmpi-bin) "
                       "installed",
                       strerror(exec_failed));
    *status = exit_status(wait_status, output.verdict == VERDICT, ranks, error);
    if (error->lines > 0 && output.verdict < VERDICT)
        return -1;
    if (error->lines > 0) { /* behind all that rank 0 had to say */
        fprintf(stderr, "ppsim: %s\n", error->text);
        *error = (struct pp_error){0};
    }
    if (*status == PP_DONE && output.write_failed)
        return pp_fail(error, PP_ENVIRONMENT, "cannot write to standard output: %s",
                       strerror(output.write_failed));
    return 0;
}
