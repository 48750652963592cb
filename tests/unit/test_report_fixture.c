#include "test_report_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedules/catalogue.h"
#include "simulate/simulate.h"

enum { MOST_STEPS = 16 };

static void must(int result, const struct pp_error *error)
{
    if (result != 0) {
        fprintf(stderr, "%s\n", error->text);
        exit(99);
    }
}

static void set_costs(struct pp_costs *costs, const struct pp_schedule *schedule,
                      const struct fixture *fixture)
{
    for (int s = 0; s < schedule->stages; s++) {
        double factor = s == schedule->stages - 1 ? fixture->last_stage : 1;
        int64_t whole = (int64_t)(1000000 * factor) / fixture->chunks;
        costs->op[s][PP_F] = costs->op[s][PP_I] = costs->op[s][PP_W] = whole;
        costs->op[s][PP_B] = 2 * whole;
    }
    costs->near.latency = fixture->latency;
    costs->jitter = fixture->jitter;
    costs->seed = 1;
}

/* An op of rank 0 needs less than it takes, and so does its waiting. */
static void count_cpu(struct pp_timeline *timeline, double share)
{
    struct pp_error error = {0};
    const struct pp_schedule *schedule = timeline->schedule;
    must(pp_timeline_add_cpu(timeline, &error), &error);
    for (int r = 0; r < schedule->ranks; r++) {
        double had = r == 0 ? share : 1;
        for (size_t k = schedule->first[r]; k < schedule->first[r + 1]; k++) {
            const struct pp_span *span = &timeline->spans[k];
            int64_t gap = k > schedule->first[r] ? span->start - span[-1].end : 0;
            timeline->cpu[k].op = llround(had * (double)(span->end - span->start));
            timeline->cpu[k].wait = llround(had * (double)gap);
        }
    }
}

void fixture_report(struct pp_report *report, const struct fixture *fixture)
{
    struct pp_error error = {0};
    struct pp_shape shape = {.ranks = fixture->ranks,
                             .chunks = fixture->chunks,
                             .microbatches = fixture->microbatches,
                             .groups = fixture->groups,
                             .prompt_chunks = fixture->prompt_chunks,
                             .rows = 2,
                             .prompt_rows = 16};
    struct pp_schedule schedule;
    struct pp_costs costs;
    struct pp_timeline timelines[MOST_STEPS];
    int numbers[MOST_STEPS];
    int64_t whole[MOST_STEPS];
    const struct pp_scheduler *row = pp_catalogue_get(fixture->schedule, &error);
    must(row ? 0 : -1, &error);
    must(pp_schedule_build(&schedule, row, &shape, &error), &error);
    must(pp_costs_init(&costs, schedule.stages, &error), &error);
    set_costs(&costs, &schedule, fixture);
    for (int i = 0; i < fixture->steps; i++) {
        must(pp_timeline_init(&timelines[i], &schedule, &error), &error);
        must(pp_simulate(&schedule, &costs, i, &timelines[i], &error), &error);
        if (fixture->core_share > 0)
            count_cpu(&timelines[i], fixture->core_share);
        numbers[i] = 3 + i;
        whole[i] = 1000000000 + i;
    }
    const struct pp_measured measured = {&schedule, timelines,      numbers,
                                         whole,     fixture->steps, 1024};
    must(pp_report_measure(report, &measured, &error), &error);
    pp_costs_release(&costs);
    strcpy(report->command, "simulate");
    strcpy(report->version, "0");
    strcpy(report->environment.clock, "simulated");
}
