#include "serve/ranks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/words.h"

void pp_ranks_init(struct pp_ranks *ranks)
{
    *ranks = (struct pp_ranks){.said = -1};
}

/* In the child, between fork and exec, beside other threads of the parent: only what
 * signal handlers may call. environment was made before. */
static void become(char *const *command, char **environment, int output, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    signal(SIGTTOU, SIG_IGN);
    int input = open("/dev/null", O_RDONLY);
    if (getppid() != parent || dup2(input, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(127);
    execve(command[0], command, environment);
    _exit(127);
}

/* This process's environment and the variable; what is to be freed is *own alone. */
static char **environment_with(const char *variable, const char *value, char **own)
{
    size_t count = 0;
    while (environ[count])
        count++;
    char **all = calloc(count + 2, sizeof *all);
    if (!all || asprintf(own, "%s=%s", variable, value) < 0) {
        free(all);
        return NULL;
    }
    memcpy(all, environ, count * sizeof *all);
    all[count] = *own;
    return all;
}

int pp_ranks_start(struct pp_ranks *ranks, char *const *command, const char *variable,
                   const char *value, struct pp_error *error)
{
    int said[2];
    char *own = NULL;
    char **environment = environment_with(variable, value, &own);
    if (!environment || pipe2(said, O_CLOEXEC) != 0) {
        free(environment);
        free(own);
        return pp_fail(error, PP_ENVIRONMENT, "cannot start the ranks: %s",
                       strerror(errno));
    }
    pid_t parent = getpid(), child = fork();
    if (child == 0)
        become(command, environment, said[1], parent);
    int reason = errno;
    free(environment);
    free(own);
    close(said[1]);
    if (child < 0) {
        close(said[0]);
        return pp_fail(error, PP_ENVIRONMENT, "cannot start the ranks: %s",
                       strerror(reason));
    }
    fcntl(said[0], F_SETFL, O_NONBLOCK);
    *ranks = (struct pp_ranks){.child = child, .said = said[0]};
    return 0;
}

/* A line is whole: it is passed on, and kept if it is the program's own. */
static void tell(struct pp_ranks *ranks)
{
    static const char own[] = "ppsim: ";
    ranks->line[ranks->length] = '\0';
    fprintf(stderr, "%s\n", ranks->line);
    if (strncmp(ranks->line, own, sizeof own - 1) == 0)
        pp_assign(ranks->reason, sizeof ranks->reason, "%s",
                  ranks->line + sizeof own - 1);
    ranks->length = 0;
}

void pp_ranks_listen(struct pp_ranks *ranks)
{
    char piece[4096];
    ssize_t got = 0;
    while (ranks->said >= 0 && (got = read(ranks->said, piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (piece[i] == '\n' || ranks->length == sizeof ranks->line - 1)
                tell(ranks);
            if (piece[i] != '\n')
                ranks->line[ranks->length++] = piece[i];
        }
    }
    if (ranks->said >= 0 && (got == 0 || errno != EAGAIN)) {
        close(ranks->said);
        ranks->said = -1;
    }
}

bool pp_ranks_ended(struct pp_ranks *ranks, int *status)
{
    int how;
    if (ranks->child <= 0 || waitpid(ranks->child, &how, WNOHANG) != ranks->child)
        return false;
    ranks->child = 0;
    pp_ranks_listen(ranks);
    if (ranks->length > 0)
        tell(ranks);
    pp_make_printable(ranks->reason);
    if (ranks->said >= 0)
        close(ranks->said);
    ranks->said = -1;
    *status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return true;
}

void pp_ranks_end(const struct pp_ranks *ranks, bool kill_it)
{
    if (ranks->child > 0)
        kill(ranks->child, kill_it ? SIGKILL : SIGTERM);
}
