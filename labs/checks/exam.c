/* Lab 9's examination: properties of a student's schedule, over many shapes.
 *
 * usage: exam MINE.so K E     MINE.so defines: const struct pp_scheduler pp_mine
 *
 * The task: 1F1B with another warm-up, K (p-1-rank) + E forwards, at most m. Prints a
 * line per property as it is found, its name, "ok" or "fail", and where it first fails,
 * with tabs between them. */
#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "schedules/catalogue.h"
#include "simulate/simulate.h"
#include "timeline/metrics.h"

enum { MOST_RANKS = 8, MOST_MICROBATCHES = 24, DETAIL = 512 };

struct exam {
    const struct pp_scheduler *row;
    int slope, more; /* K and E */
};

/* Fills in detail and returns false. */
__attribute__((format(printf, 2, 3))) static bool fails(char detail[DETAIL],
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, DETAIL, format, arguments);
    va_end(arguments);
    return false;
}

static int warmup(const struct exam *exam, const struct pp_shape *shape, int rank)
{
    int wanted = exam->slope * (shape->ranks - 1 - rank) + exam->more;
    return wanted < shape->microbatches ? wanted : shape->microbatches;
}

/* A shape too small for the pipeline is refused, in words; every other one is not. */
static bool refuses(const struct exam *exam, const struct pp_shape *shape,
                    char detail[DETAIL])
{
    struct pp_error error = {0};
    struct pp_shape asked = *shape;
    bool fits = shape->microbatches >= shape->ranks;
    bool taken = pp_schedule_check(exam->row, &asked, &error) == 0;
    if (taken == fits)
        return true;
    return fails(detail, "%d ranks, %d microbatches: %s", shape->ranks,
                 shape->microbatches,
                 taken ? "must be refused by .needs" : "must not be refused by .needs");
}

/* Every other shape gives a schedule that can be executed. */
static bool is_valid(const struct exam *exam, const struct pp_shape *shape,
                     char detail[DETAIL])
{
    struct pp_error error = {0};
    struct pp_schedule schedule;
    struct pp_shape asked = *shape;
    if (shape->microbatches < shape->ranks)
        return true;
    if (pp_schedule_build(&schedule, exam->row, &asked, &error) != 0)
        return fails(detail, "%d ranks, %d microbatches: %.300s", shape->ranks,
                     shape->microbatches, error.text);
    pp_schedule_release(&schedule);
    return true;
}

/* How many forwards a rank does before its first backward, and then one of each in
 * turn: no run of forwards behind that is longer than one. */
static bool is_in_order(const struct exam *exam, const struct pp_shape *shape,
                        char detail[DETAIL])
{
    struct pp_error error = {0};
    struct pp_schedule schedule;
    struct pp_shape asked = *shape;
    bool good = true;
    if (shape->microbatches < shape->ranks)
        return true;
    if (pp_schedule_build(&schedule, exam->row, &asked, &error) != 0)
        return fails(detail, "no valid schedule");
    for (int r = 0; r < shape->ranks && good; r++) {
        int w = warmup(exam, shape, r), m = shape->microbatches;
        const struct pp_op *ops = &schedule.ops[schedule.first[r]];
        for (int k = 0; k < 2 * m && good; k++) {
            bool steady = k >= w && k < 2 * m - w;
            enum pp_kind wanted = k < w || (steady && (k - w) % 2 == 0) ? PP_F : PP_B;
            if (ops[k].kind != wanted)
                good = fails(detail,
                             "%d ranks, %d microbatches, rank %d: op %d is a %s; the "
                             "warm-up has %d forwards, and then F and B take turns",
                             shape->ranks, m, r, k + 1,
                             ops[k].kind == PP_F ? "forward" : "backward", w);
        }
    }
    pp_schedule_release(&schedule);
    return good;
}

/* The bubble of the simulation, in ns; negative: it could not be simulated. */
static double simulated(const struct exam *exam, const struct pp_shape *shape,
                        const int64_t cost[3])
{
    struct pp_error error = {0};
    struct pp_schedule schedule = {0};
    struct pp_costs costs = {0};
    struct pp_timeline timeline = {0};
    struct pp_metrics metrics = {0};
    struct pp_shape asked = *shape;
    double bubble = -1;
    if (pp_schedule_build(&schedule, exam->row, &asked, &error) == 0 &&
        pp_costs_init(&costs, schedule.stages, &error) == 0 &&
        pp_timeline_init(&timeline, &schedule, &error) == 0) {
        for (int s = 0; s < schedule.stages; s++) {
            costs.op[s][PP_F] = cost[0];
            costs.op[s][PP_B] = cost[1];
        }
        costs.near.latency = costs.far.latency = cost[2];
        if (pp_simulate(&schedule, &costs, 0, &timeline, &error) == 0 &&
            pp_metrics_init(&metrics, &timeline, &error) == 0)
            bubble = (double)(metrics.makespan - metrics.of_rank[0].busy);
    }
    pp_metrics_release(&metrics);
    pp_timeline_release(&timeline);
    pp_costs_release(&costs);
    pp_schedule_release(&schedule);
    return bubble;
}

/* The closed form is there without hops, and is the simulation's bubble; with hops it
 * may say that it does not hold. */
static bool form_holds(const struct exam *exam, const struct pp_shape *shape,
                       char detail[DETAIL])
{
    static const int64_t costs[][3] = {
        {10, 20, 0}, {30, 7, 0}, {12, 12, 0}, {10, 20, 4}};
    if (shape->microbatches < shape->ranks)
        return true;
    if (!exam->row->theory)
        return fails(detail, "there is no .theory");
    for (size_t k = 0; k < sizeof costs / sizeof costs[0]; k++) {
        const int64_t *cost = costs[k];
        struct pp_equal_costs equal = {
            .forward = (double)cost[0],
            .backward = (double)cost[1],
            .hop = (double)cost[2],
        };
        struct pp_theory theory = {0};
        const char *why = NULL;
        if (!exam->row->theory(shape, &equal, &theory, &why)) {
            if (cost[2] > 0 && why)
                continue;
            return fails(detail, "%d ranks, %d microbatches: .theory declines%s",
                         shape->ranks, shape->microbatches,
                         why ? "" : " without setting *why");
        }
        double bubble = simulated(exam, shape, cost);
        double all = shape->microbatches * (equal.forward + equal.backward) + bubble;
        if (!(fabs(theory.bubble - bubble) < 1e-6))
            return fails(detail,
                         "%d ranks, %d microbatches, F %" PRId64 ", B %" PRId64
                         ", hop %" PRId64 ": simulated bubble %g, .bubble %g",
                         shape->ranks, shape->microbatches, cost[0], cost[1], cost[2],
                         bubble, theory.bubble);
        if (!(fabs(theory.makespan - all) < 1e-6) || !theory.exact)
            return fails(detail,
                         "%d ranks, %d microbatches: .makespan is %g, simulated is %g; "
                         ".exact must be true",
                         shape->ranks, shape->microbatches, theory.makespan, all);
    }
    return true;
}

static void judge(const struct exam *exam, const char *name,
                  bool (*holds)(const struct exam *exam, const struct pp_shape *shape,
                                char detail[DETAIL]))
{
    char detail[DETAIL] = "";
    printf("%s\t", name);
    fflush(stdout);
    for (int p = 1; p <= MOST_RANKS; p++)
        for (int m = 1; m <= MOST_MICROBATCHES; m++) {
            const struct pp_shape shape = {.ranks = p, .chunks = 1, .microbatches = m};
            if (!holds(exam, &shape, detail)) {
                printf("fail\t%s\n", detail);
                fflush(stdout);
                return;
            }
        }
    printf("ok\t\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: exam MINE.so K E\n");
        return 2;
    }
    void *object = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    const struct exam exam = {
        .row = dlsym(object, "pp_mine"),
        .slope = (int)strtol(argv[2], NULL, 10),
        .more = (int)strtol(argv[3], NULL, 10),
    };
    if (!exam.row || !exam.row->name ||
        (!exam.row->generate && !exam.row->generate_all)) {
        fprintf(stderr, "it defines no 'const struct pp_scheduler pp_mine' with a name "
                        "and .generate\n");
        return 2;
    }
    judge(&exam, "refuses", refuses);
    judge(&exam, "valid", is_valid);
    judge(&exam, "order", is_in_order);
    judge(&exam, "theory", form_holds);
    dlclose(object);
    return 0;
}
