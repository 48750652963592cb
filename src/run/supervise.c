#include "run/supervise.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char pp_verdict[] = "\0done";
static_assert(sizeof pp_verdict - 1 == PP_VERDICT, "its length");

struct pipe {
    int from;       /* -1: ended */
    size_t verdict; /* how much of the verdict has come */
    struct pp_passed *passed;
};

static void pass_text(struct pp_passed *passed, const char *text, size_t length)
{
    for (size_t at = 0; at < length && passed->write_failed == 0;) {
        ssize_t put = write(STDOUT_FILENO, text + at, length - at);
        if (put >= 0)
            at += (size_t)put;
        else if (errno != EINTR)
            passed->write_failed = errno;
    }
}

/* Text may hold bytes of the verdict, and be any bytes: the verdict is what comes last.
 * So what may be its begin is held back, and passed on once it goes on otherwise. */
static void pass(struct pipe *pipe, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t begin = at;
        if (pipe->verdict < PP_VERDICT && text[at] == pp_verdict[pipe->verdict]) {
            pipe->verdict++;
            at++;
            continue;
        }
        pass_text(pipe->passed, pp_verdict, pipe->verdict);
        pipe->verdict = 0;
        while (at < length && text[at] != pp_verdict[0])
            at++;
        pass_text(pipe->passed, text + begin, at - begin);
    }
}

/* Passes on what the pipe has now, but for the verdict. Where that cannot be written it
 * is dropped: if this process stopped reading, mpiexec would end the ranks, which may
 * still have files to write. */
static void pass_now(struct pipe *pipe)
{
    char buffer[1 << 16];
    ssize_t got;
    while ((got = read(pipe->from, buffer, sizeof buffer)) > 0)
        pass(pipe, buffer, (size_t)got);
    pipe->passed->complete = pipe->verdict == PP_VERDICT;
    if (got == 0) {
        pipe->from = -1;
        if (!pipe->passed->complete)
            pass_text(pipe->passed, pp_verdict, pipe->verdict);
    }
}

static bool has_ended(pid_t child)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == child;
}

/* mpiexec has no line on the page: it is silent while it is stopped. Returns whether it
 * has been so for too long, and adds up for how long. */
static bool is_stopped(pid_t child, const struct pp_watch *watch, double *seconds)
{
    char state = pp_process_state(child);
    *seconds = state == 'T' || state == 't' ? *seconds + watch->seconds : 0;
    return watch->timeout_s > 0 && *seconds >= PP_PATIENCE * watch->timeout_s;
}

/* Waits for what comes next: output, or the time for another look. */
static void wait_for_more(const struct pipe *pipe)
{
    enum { END_MS = 2 }; /* mpiexec has closed its output: it ends now */
    struct pollfd more = {.fd = pipe->from, .events = POLLIN};
    poll(&more, 1, pipe->from >= 0 ? PP_BEAT_MS : END_MS);
}

void pp_supervise(pid_t child, int from, const struct pp_status_page *page,
                  double timeout_s, struct pp_passed *passed, struct pp_error *error)
{
    struct pp_watch watch;
    struct pipe pipe = {.from = from, .passed = passed};
    double stopped_s = 0;
    int silent = -1;
    bool stopped = false;
    if (pp_watch_init(&watch, page, timeout_s, error) != 0) {
        kill(child, SIGKILL);
        return;
    }
    fcntl(from, F_SETFL, O_NONBLOCK);
    while (!has_ended(child) && silent < 0 && !stopped) {
        wait_for_more(&pipe);
        if (pipe.from >= 0)
            pass_now(&pipe);
        silent = pp_watch_look(&watch);
        stopped = is_stopped(child, &watch, &stopped_s);
    }
    if (silent >= 0)
        pp_watch_tell_silent(&watch, silent, error);
    else if (stopped)
        pp_fail(error, PP_ENVIRONMENT, "mpiexec was stopped (SIGSTOP) for %.2g s",
                stopped_s);
    if (silent >= 0 || stopped)
        kill(child, SIGKILL);
    if (pipe.from >= 0)
        pass_now(&pipe);
    pp_watch_release(&watch);
}
