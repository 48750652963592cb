/* A child process, for whose end this one waits. A signal that would end this process
 * (SIGINT, SIGTERM, SIGHUP, SIGQUIT) goes to the child instead, so that both end
 * tidily; one that is ignored, as nohup has it, stays so for both. One child at a time.
 */
#ifndef PP_BASE_CHILD_H
#define PP_BASE_CHILD_H

#include <sys/types.h>

/* Starts the child, in which become(data) is called: it is to exec or _exit. The child
 * gets SIGTERM if this process dies. Returns its id; -1 with errno set. */
pid_t pp_child_start(void (*become)(void *data), void *data);

/* Waits for its end; sets *status as waitpid does. Signals do again what they did.
 * Returns the last signal that was passed on, for the caller to raise when all is tidy;
 * 0 for none, -1 with errno set if the child was lost. */
int pp_child_wait(pid_t child, int *status);

#endif
