#include "predict/whatif.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "predict/predict.h"
#include "simulate/simulate.h"
#include "timeline/critical.h"

double pp_report_message_bytes(const struct pp_report *report)
{
    struct pp_message_shape shape = pp_report_message_shape(report);
    if (pp_decodes(&report->schedule)) /* of a row */
        shape.sequences = shape.tokens = 1;
    return pp_message_shape_bytes(&shape);
}

static int costs_of(const struct pp_report *report, struct pp_costs *costs,
                    struct pp_error *error)
{
    return pp_costs_from_report(costs, report, &report->schedule,
                                pp_report_message_bytes(report), error);
}

int pp_predict_timeline(const struct pp_report *report, struct pp_timeline *timeline,
                        struct pp_error *error)
{
    struct pp_costs costs = {0};
    int status = costs_of(report, &costs, error);
    if (status == 0)
        status = pp_timeline_init(timeline, &report->schedule, error);
    if (status == 0)
        status = pp_simulate(&report->schedule, &costs, 0, timeline, error);
    pp_costs_release(&costs);
    return status;
}

/* Ops of one stage and kind, and how much of the critical path they are. */
struct candidate {
    int64_t share;
    int stage;
    enum pp_kind kind;
};

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->share != b->share)
        return a->share < b->share ? 1 : -1;
    return a->stage != b->stage ? a->stage - b->stage : (int)a->kind - (int)b->kind;
}

/* Lists those on the critical path, the largest share first. Returns how many, or -1.
 */
static int list_candidates(const struct pp_report *report, struct candidate *list,
                           struct pp_error *error)
{
    struct pp_producers producers;
    struct pp_critical critical;
    int count = 0;
    if (pp_report_need_timeline(report, error) != 0 ||
        pp_producers_init(&producers, &report->schedule, error) != 0)
        return -1;
    int status = pp_critical_init(&critical, &report->timeline, &report->metrics,
                                  &producers, error);
    for (int s = 0; s < report->schedule.stages && status == 0; s++) {
        for (enum pp_kind kind = PP_F; kind <= PP_W; kind++) {
            if (critical.of_stage[s][kind] > 0)
                list[count++] = (struct candidate){critical.of_stage[s][kind], s, kind};
        }
    }
    pp_critical_release(&critical);
    pp_producers_release(&producers);
    qsort(list, (size_t)count, sizeof *list, compare_candidates);
    return status == 0 ? count : -1;
}

/* Makes the candidate's ops, of all classes, take factor times what the costs say. */
static void scale(const struct pp_costs *from, struct pp_costs *to,
                  const struct candidate *candidate, double factor)
{
    for (int c = 0; c < to->classes; c++) {
        int64_t cost = pp_costs_of(from, c, candidate->stage)[candidate->kind];
        pp_costs_of(to, c, candidate->stage)[candidate->kind] =
            pp_nanoseconds(factor * (double)cost);
    }
}

/* The makespan with the candidate's ops a tenth faster, in s. trial: a copy of the
 * costs. */
static int predict_faster(const struct pp_report *report, const struct pp_costs *costs,
                          struct pp_costs *trial, const struct candidate *candidate,
                          double *makespan_s, struct pp_error *error)
{
    double bubble;
    scale(costs, trial, candidate, 0.9);
    int status = pp_predict(&report->schedule, trial, &bubble, makespan_s, error);
    scale(costs, trial, candidate, 1);
    return status;
}

int pp_predict_speedup(const struct pp_report *report, struct pp_speedup *speedup,
                       struct pp_error *error)
{
    const double most_ops = 5e7; /* simulated in a second or two */
    const double alike = 0.05;
    size_t kinds = (size_t)report->schedule.stages * PP_KINDS;
    struct candidate *list = calloc(kinds, sizeof *list);
    struct pp_costs costs = {0}, trial = {0};
    double base_s, faster_s, bubble, own_s = (double)report->metrics.makespan / 1e9;
    double ops = (double)pp_schedule_ops(&report->schedule);
    *speedup = (struct pp_speedup){0};
    if (!list)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %zu kinds of ops",
                       kinds);
    int count = list_candidates(report, list, error);
    int status = count < 0 ? -1 : costs_of(report, &costs, error);
    if (status == 0)
        status = costs_of(report, &trial, error);
    if (status == 0)
        status = pp_predict(&report->schedule, &costs, &bubble, &base_s, error);
    bool run = isfinite(report->predicted_makespan_s);
    if (status == 0)
        speedup->known = run || fabs(base_s - own_s) <= alike * own_s;
    for (int i = 0; i < count && status == 0 && speedup->known; i++) {
        if (i > 0 && (i + 1) * ops > most_ops)
            break;
        status = predict_faster(report, &costs, &trial, &list[i], &faster_s, error);
        if (status == 0 && base_s - faster_s > speedup->saves_s) {
            speedup->stage = list[i].stage;
            speedup->kind = list[i].kind;
            speedup->saves_s = base_s - faster_s;
        }
    }
    pp_costs_release(&costs);
    pp_costs_release(&trial);
    free(list);
    return status;
}
