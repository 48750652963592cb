/* A child process, for whose end this one waits. It has a process group of its own: a
 * signal to this one's group, as a terminal sends it, reaches it once, through this
 * process, and not a second time from the terminal. A signal that would end this
 * process (SIGINT, SIGTERM, SIGHUP, SIGQUIT) goes to the child instead, so that both
 * end tidily; one that is ignored, as nohup has it, stays so for both. Ctrl-Z stops the
 * child too, until this process is continued. One child at a time.
 */
#ifndef PP_BASE_CHILD_H
#define PP_BASE_CHILD_H

#include <sys/types.h>

/* Which signals the child gets instead, where it has signals of its own for this. */
struct pp_child_signals {
    int ask; /* to end by itself: each second from the first signal on, in case that it
              * does not yet listen */
    int end; /* at once: for SIGQUIT, for a second signal, and if this process dies */
};

/* Starts the child and calls become(data) in it, which ends with exec or _exit. The
 * child gets SIGTERM if this process dies, unless signals, which may be NULL, says
 * otherwise. It may write to the terminal, but not read from it. Returns its id; -1
 * with errno set. */
pid_t pp_child_start(void (*become)(void *data), void *data,
                     const struct pp_child_signals *signals);

/* A program to start as a child. */
struct pp_program {
    const char *path;       /* NULL: the first of the arguments, looked up in PATH */
    char *const *arguments; /* ended by NULL */
    const char *folder;     /* it runs there; NULL: where this process does */
    const char *output;     /* a file for its standard output and error; its input is
                             * then /dev/null. NULL: all three are this process's */
};

/* The exit statuses of a program that could not be started, as a shell gives them: it
 * was not found, or any other reason. */
enum { PP_PROGRAM_NOT_STARTED = 126, PP_PROGRAM_NOT_FOUND = 127 };

/* As pp_child_start. The program is borrowed until it returns. */
pid_t pp_program_start(struct pp_program *program);

/* Waits for its end; sets *status as waitpid does. Restores what signals do in this
 * process. Returns the last signal that was passed on, for the caller to raise when all
 * is tidy; 0 for none, -1 with errno set if the child was lost. */
int pp_child_wait(pid_t child, int *status);

#endif
