/* The clocks that ops are measured by. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "base/words.h"
#include "doctor/check.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The smallest step that the clock is seen to take, ns. */
static int64_t smallest_step(clockid_t id)
{
    enum { STEPS = 200 };
    int64_t least = INT64_MAX, last = read_clock(id);
    int64_t end = read_clock(CLOCK_MONOTONIC) + 200000000; /* where it hardly moves */
    for (int i = 0; i < STEPS && read_clock(CLOCK_MONOTONIC) < end;) {
        int64_t time = read_clock(id);
        if (time == last)
            continue;
        least = time - last < least ? time - last : least;
        last = time;
        i++;
    }
    return least;
}

/* What reading it takes, ns: the least of several times. */
static double cost_of(clockid_t id)
{
    enum { TIMES = 20, READS = 100 };
    double least = (double)INFINITY;
    for (int i = 0; i < TIMES; i++) {
        int64_t start = read_clock(CLOCK_MONOTONIC);
        for (int k = 0; k < READS; k++)
            read_clock(id);
        least = fmin(least, (double)(read_clock(CLOCK_MONOTONIC) - start) / READS);
    }
    return least;
}

static void read_source(char *text, size_t size)
{
    FILE *file =
        fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
    char word[32] = "";
    if (file && fscanf(file, "%31s", word) == 1)
        pp_assign(text, size, "'%s'", word);
    else
        pp_assign(text, size, "unknown");
    if (file)
        fclose(file);
}

void pp_check_clock(struct pp_patient *patient, struct pp_finding *finding)
{
    enum { SLOW_NS = 1000 };
    double cost = cost_of(CLOCK_MONOTONIC);
    struct timex state = {0};
    char source[40], drift[64] = "";
    (void)patient;
    read_source(source, sizeof source);
    if (adjtimex(&state) >= 0) /* in ppm, 16 bits behind the point */
        pp_assign(drift, sizeof drift, "; its rate is corrected by %.1f ppm",
                  (double)state.freq / 65536);
    bool slow = cost > SLOW_NS;
    pp_find(finding, slow ? PP_DOUBTFUL : PP_FINE,
            "source %s, steps of %lld ns, read in %.0f ns%s", source,
            (long long)smallest_step(CLOCK_MONOTONIC), cost, drift);
    if (slow)
        pp_advise(finding,
                  "each op reads it twice: let the kernel use a faster source, "
                  "such as tsc (clocksource= at boot)");
}

void pp_check_cpu_time(struct pp_patient *patient, struct pp_finding *finding)
{
    enum { COARSE_NS = 100000 };
    int64_t step = smallest_step(CLOCK_THREAD_CPUTIME_ID);
    (void)patient;
    if (step <= COARSE_NS) {
        pp_find(finding, PP_FINE, "of a thread: steps of %lld ns, read in %.0f ns",
                (long long)step, cost_of(CLOCK_THREAD_CPUTIME_ID));
        return;
    }
    pp_find(finding, PP_DOUBTFUL,
            "of a thread: too coarse for the virtual clock, steps of "
            "more than %.1f ms",
            COARSE_NS / 1e6);
    pp_advise(finding, "use as many ranks as cores, with '--clock wall'");
}
