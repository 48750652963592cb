/* Loaded before ppsim: one op of each rank takes SLOW_OP_SECONDS longer, asleep. An op
 * begins with a look at its thread's CPU time, which nothing else of a rank looks at.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *time)
{
    enum { LOOK = 8 };
    static int looks;
    const char *seconds = getenv("SLOW_OP_SECONDS");
    if (id == CLOCK_THREAD_CPUTIME_ID && seconds && ++looks == LOOK)
        sleep((unsigned)atoi(seconds));
    return (int)syscall(SYS_clock_gettime, id, time);
}
