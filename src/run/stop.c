#include "run/stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "run/status.h"

static volatile sig_atomic_t asked;
static volatile int64_t first; /* ns, when */

/* Signals come in bursts: a batch system sends one to every process of a job, and what
 * started the ranks passes its own on to them. Those are one wish. */
static void ask(int number)
{
    enum { BURST_NS = 1000000000 };
    int reason = errno;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    int64_t now = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    if (number == SIGTERM)
        pp_note_told();
    if (!asked) {
        first = now;
        asked = number == SIGINT ? SIGINT : SIGTERM;
    } else if (number != SIGUSR1 && now - first >= BURST_NS) {
        signal(number, SIG_DFL);
        raise(number);
    }
    errno = reason;
}

void pp_stop_listen(void)
{
    static const int wishes[] = {SIGINT, SIGTERM, SIGUSR1};
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        struct sigaction before;
        sigaction(wishes[i], NULL, &before);
        /* As nohup has it, and background jobs of a script. */
        if (wishes[i] == SIGUSR1 || before.sa_handler != SIG_IGN)
            sigaction(wishes[i],
                      &(struct sigaction){.sa_handler = ask, .sa_flags = SA_RESTART},
                      NULL);
    }
}

int pp_stop_asked(void)
{
    return (int)asked;
}
