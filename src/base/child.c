#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDING = sizeof ending / sizeof ending[0] };

static struct sigaction before[ENDING], child_before, stop_before, alarm_before;
static struct pp_child_signals instead; /* 0: the same ones */
static volatile sig_atomic_t running, caught;
static volatile int64_t passed_on; /* ns, when; 0: not yet */

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Asks the child to end, now and again in a second. */
static void ask(int number)
{
    int reason = errno;
    (void)number;
    kill((pid_t)running, instead.ask);
    alarm(1);
    errno = reason;
}

/* A program that is left by SIGQUIT leaves all as it is: no child shall. */
static void end(int number)
{
    alarm(0);
    if (instead.end)
        kill((pid_t)running, instead.end);
    else
        kill((pid_t)running, number == SIGQUIT ? SIGTERM : number);
}

/* A signal that comes again within a second is the same one: timeout(1) sends each to
 * its child and then to the group. */
static void pass_on(int number)
{
    int reason = errno;
    int64_t time = now();
    bool first = passed_on == 0;
    caught = number;
    if (first && instead.ask && number != SIGQUIT)
        ask(number);
    else if (first || time - passed_on > 1000000000)
        end(number);
    passed_on = time;
    errno = reason;
}

/* Ctrl-Z: the child stops, then this process, here; both go on when it is continued. */
static void stop(int number)
{
    int reason = errno;
    sigset_t set;
    struct sigaction again;
    kill((pid_t)running, SIGTSTP);
    sigaction(number, &(struct sigaction){.sa_handler = SIG_DFL}, &again);
    raise(number);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigaction(number, &again, NULL);
    kill((pid_t)running, SIGCONT);
    errno = reason;
}

/* In the child, whose group is not the terminal's: that shall not stop it when it says
 * something, where "stty tostop" is set. */
static void leave_group(void)
{
    setpgid(0, 0);
    signal(SIGTTOU, SIG_IGN);
}

pid_t pp_child_start(void (*become)(void *data), void *data,
                     const struct pp_child_signals *signals)
{
    pid_t parent = getpid();
    sigset_t block, mask;
    sigemptyset(&block);
    sigaddset(&block, SIGTSTP);
    sigaddset(&block, SIGALRM);
    sigaction(SIGTSTP, NULL, &stop_before);
    sigaction(SIGALRM, NULL, &alarm_before);
    for (int i = 0; i < ENDING; i++) {
        sigaddset(&block, ending[i]);
        sigaction(ending[i], NULL, &before[i]);
    }
    /* Where it is ignored, which is inherited, no child could be waited for. */
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &child_before);
    /* No signal may come while it is not known whom to pass it on to. */
    sigprocmask(SIG_BLOCK, &block, &mask);
    instead = signals ? *signals : (struct pp_child_signals){0};
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, instead.end ? instead.end : SIGTERM);
        leave_group();
        sigprocmask(SIG_SETMASK, &mask, NULL);
        if (getppid() == parent)
            become(data);
        _exit(127);
    }
    int reason = errno;
    running = (sig_atomic_t)child;
    caught = 0;
    passed_on = 0;
    for (int i = 0; i < ENDING && child > 0; i++) {
        if (before[i].sa_handler != SIG_IGN)
            sigaction(ending[i], &(struct sigaction){.sa_handler = pass_on}, NULL);
    }
    if (child > 0 && instead.ask)
        sigaction(SIGALRM, &(struct sigaction){.sa_handler = ask}, NULL);
    if (child > 0 && stop_before.sa_handler != SIG_IGN)
        sigaction(SIGTSTP, &(struct sigaction){.sa_handler = stop}, NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = reason;
    return child;
}

/* 0, or -1 where a file cannot be opened or the folder not entered. */
static int prepare(const struct pp_program *program)
{
    if (program->output) {
        int input = open("/dev/null", O_RDONLY);
        int output = open(program->output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
            dup2(output, STDERR_FILENO) < 0)
            return -1;
        if (input > STDERR_FILENO)
            close(input);
        if (output > STDERR_FILENO)
            close(output);
    }
    return program->folder ? chdir(program->folder) : 0;
}

static void become_program(void *data)
{
    const struct pp_program *program = data;
    if (prepare(program) != 0)
        _exit(PP_PROGRAM_NOT_STARTED);
    if (program->path)
        execv(program->path, program->arguments);
    else
        execvp(program->arguments[0], program->arguments);
    _exit(errno == ENOENT ? PP_PROGRAM_NOT_FOUND : PP_PROGRAM_NOT_STARTED);
}

pid_t pp_program_start(struct pp_program *program)
{
    return pp_child_start(become_program, program, NULL);
}

int pp_child_wait(pid_t child, int *status)
{
    pid_t waited;
    while ((waited = waitpid(child, status, 0)) < 0 && errno == EINTR)
        ;
    int reason = errno;
    alarm(0);
    for (int i = 0; i < ENDING; i++)
        sigaction(ending[i], &before[i], NULL);
    sigaction(SIGALRM, &alarm_before, NULL);
    sigaction(SIGTSTP, &stop_before, NULL);
    sigaction(SIGCHLD, &child_before, NULL);
    errno = reason;
    return waited < 0 ? -1 : caught;
}
