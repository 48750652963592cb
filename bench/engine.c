/* The speed of the engine: builds, verifies, simulates and measures schedules of
 * growing size, and prints ops per second and bytes per op of each part. "simulate"
 * is the first simulation, which has the system clear the timeline's memory; "again"
 * is another into the same timeline: the engine alone.
 *
 *     bench/engine [SCHEDULE [RANKS [MICROBATCHES]]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "simulate/simulate.h"
#include "timeline/metrics.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double peak_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1024.0 * (double)usage.ru_maxrss;
}

static int measure(const char *name, int ranks, int microbatches,
                   struct pp_error *error)
{
    struct pp_schedule schedule = {0};
    struct pp_costs costs = {0};
    struct pp_timeline timeline = {0};
    struct pp_metrics metrics = {0};
    int result = -1;
    const struct pp_scheduler *row = pp_catalogue_get(name, error);
    if (!row)
        return -1;
    struct pp_shape shape = {
        .ranks = ranks, .chunks = row->default_chunks, .microbatches = microbatches};

    double start = now();
    if (pp_schedule_build(&schedule, row, &shape, error) != 0)
        goto done;
    double built = now();
    if (pp_costs_init(&costs, schedule.stages, error) != 0 ||
        pp_timeline_init(&timeline, &schedule, error) != 0)
        goto done;
    pp_costs_fill(&costs, 1000000, 1000000, 1000000);
    costs.near.latency = 10000;
    if (pp_simulate(&schedule, &costs, 0, &timeline, error) != 0)
        goto done;
    double simulated = now();
    /* Again, into memory that the system need not clear any more. */
    if (pp_simulate(&schedule, &costs, 0, &timeline, error) != 0)
        goto done;
    double again = now();
    if (pp_metrics_init(&metrics, &timeline, error) != 0)
        goto done;
    double measured = now();
    double ops = (double)pp_schedule_ops(&schedule);
    printf("%-16s %6d %8d %11.0f %8.1f %8.1f %8.1f %8.1f %8.3f %9.1f %8.5f\n", name,
           ranks, microbatches, ops, 1e-6 * ops / (built - start),
           1e-6 * ops / (simulated - built), 1e-6 * ops / (again - simulated),
           1e-6 * ops / (measured - again), measured - start - (again - simulated),
           peak_bytes() / ops, metrics.bubble.fraction);
    result = 0;

done:
    pp_metrics_release(&metrics);
    pp_timeline_release(&timeline);
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
    return result;
}

int main(int argc, char **argv)
{
    static const int sizes[][2] = {{8, 64}, {64, 1024}, {256, 4096}, {1024, 8192}};
    const char *name = argc > 1 ? argv[1] : "1f1b";
    struct pp_error error = {0};
    int result = 0;
    printf("%-16s %6s %8s %11s %8s %8s %8s %8s %8s %9s %8s\n", "schedule", "ranks", "m",
           "ops", "build", "simulate", "again", "measure", "all, s", "bytes/op",
           "bubble");
    printf("%44s %30s\n", "", "million ops per second");
    if (argc > 2) {
        result = measure(name, atoi(argv[2]), argc > 3 ? atoi(argv[3]) : 32, &error);
    } else {
        for (size_t k = 0; result == 0 && k < sizeof sizes / sizeof sizes[0]; k++)
            result = measure(name, sizes[k][0], sizes[k][1], &error);
    }
    if (result != 0)
        fprintf(stderr, "engine: %s\n", error.text);
    return result == 0 ? 0 : (int)error.status;
}
