#include "predict/predict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "simulate/simulate.h"

double pp_message_bytes(const struct pp_model_config *model)
{
    return (double)model->microbatch_size * model->seq_len * model->d_model *
           sizeof(float);
}

double pp_row_bytes(const struct pp_model_config *model)
{
    return (double)model->d_model * sizeof(float);
}

enum { UNKNOWN = -1 };

enum pp_recompute pp_report_recompute(const struct pp_report *report)
{
    const char *what = json_string_value(json_object_get(report->config, "recompute"));
    if (!what || strcmp(what, "none") == 0)
        return PP_RECOMPUTE_NONE;
    return strcmp(what, "block") == 0 ? PP_RECOMPUTE_BLOCK : PP_RECOMPUTE_STAGE;
}

/* What B computes again belongs to I. */
static void halve(int64_t op[PP_KINDS], bool recomputes)
{
    int64_t again = recomputes ? op[PP_F] : 0, whole = op[PP_B];
    if (again > whole)
        again = whole;
    op[PP_B] = whole - again;
    pp_costs_halve(op);
    op[PP_B] = whole;
    op[PP_I] += again;
}

/* Fills in B, or its halves, where only the other is known. Returns the kind of op that
 * has no cost and needs one; NULL if there is none. */
static const char *complete(int64_t op[PP_KINDS], bool recomputes)
{
    bool halves = op[PP_I] != UNKNOWN && op[PP_W] != UNKNOWN;
    if (op[PP_F] == UNKNOWN)
        return "F";
    if (op[PP_B] == UNKNOWN && !halves)
        return "B, nor of I and W,";
    if (op[PP_B] == UNKNOWN)
        op[PP_B] = op[PP_I] + op[PP_W];
    else if (!halves)
        halve(op, recomputes);
    return NULL;
}

/* Of training: a cost of each kind. */
static int take_kinds(struct pp_costs *costs, const struct pp_report *report,
                      struct pp_error *error)
{
    bool recomputes = pp_report_recompute(report) != PP_RECOMPUTE_NONE;
    for (int s = 0; s < costs->stages; s++) {
        for (int kind = 0; kind < PP_KINDS; kind++)
            costs->op[s][kind] = UNKNOWN;
    }
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        if (!cost->of_class.label[0])
            costs->op[cost->stage][cost->kind] = cost->median;
    }
    for (int s = 0; s < costs->stages; s++) {
        const char *missing = complete(costs->op[s], recomputes);
        if (missing)
            return pp_fail(error, PP_BAD_INPUT,
                           "the report has no cost of %s on stage %d", missing, s);
    }
    return 0;
}

static int rows_between(const struct pp_cost *cost, const struct pp_class *like)
{
    return abs(cost->of_class.rows - like->rows);
}

/* What the class takes on the stage, by the line through the two nearest that were
 * measured there. Returns false where there is none. */
static bool interpolate(const struct pp_report *report, int stage,
                        const struct pp_class *like, int64_t *ns)
{
    const struct pp_cost *near = NULL, *next = NULL;
    for (int i = 0; i < report->cost_count; i++) {
        const struct pp_cost *cost = &report->costs[i];
        if (cost->stage != stage || cost->kind != PP_F ||
            strcmp(cost->of_class.label, like->label) != 0)
            continue;
        if (!near || rows_between(cost, like) < rows_between(near, like)) {
            next = near;
            near = cost;
        } else if (!next || rows_between(cost, like) < rows_between(next, like)) {
            next = cost;
        }
    }
    if (!near)
        return false;
    *ns = near->median;
    if (!next || near->of_class.rows == like->rows)
        return true;
    double slope = (double)(next->median - near->median) /
                   (next->of_class.rows - near->of_class.rows);
    double value = (double)near->median + slope * (like->rows - near->of_class.rows);
    *ns = pp_nanoseconds(fmax(0, value));
    return true;
}

/* Of decoding: a cost of each class. */
static int take_classes(struct pp_costs *costs, const struct pp_report *report,
                        const struct pp_schedule *schedule, struct pp_error *error)
{
    for (int c = 0; c < schedule->class_count; c++) {
        const struct pp_class *of_class = &schedule->classes[c];
        for (int s = 0; s < costs->stages; s++) {
            if (!interpolate(report, s, of_class, &pp_costs_of(costs, c, s)[PP_F]))
                return pp_fail(error, PP_BAD_INPUT,
                               "the report has no cost of %s on stage %d",
                               of_class->label, s);
        }
    }
    return 0;
}

int pp_costs_from_report(struct pp_costs *costs, const struct pp_report *report,
                         const struct pp_schedule *schedule, double message_bytes,
                         struct pp_error *error)
{
    if (report->schedule.stages != schedule->stages)
        return pp_fail(error, PP_BAD_INPUT,
                       "the report has costs of %d stages, the schedule has %d",
                       report->schedule.stages, schedule->stages);
    if (pp_costs_init(costs, schedule->stages, error) != 0 ||
        pp_costs_classify(costs, schedule, error) != 0)
        return -1;
    int status = pp_decodes(schedule) ? take_classes(costs, report, schedule, error)
                                      : take_kinds(costs, report, error);
    costs->near.latency = pp_nanoseconds(report->link_latency_s * 1e9);
    costs->near.bandwidth = report->link_bandwidth;
    costs->far = costs->near;
    costs->message_bytes = message_bytes;
    return status;
}

void pp_set_theory(struct pp_report *report, const struct pp_scheduler *row,
                   const struct pp_shape *shape, const struct pp_equal_costs *equal,
                   const char *why_not)
{
    const char *why = why_not ? why_not : "no closed form is known for this schedule";
    struct pp_theory theory;
    report->theory = (double)NAN;
    if (!row)
        why = "a schedule from a file has no closed form";
    if (why_not || !row || !row->theory || !row->theory(shape, equal, &theory, &why)) {
        pp_assign(report->theory_note, sizeof report->theory_note, "%s", why);
        return;
    }
    double form = theory.bubble / theory.makespan;
    if (theory.by_span) {
        pp_assign(report->theory_note, sizeof report->theory_note,
                  "the closed form gives span_fraction instead: %.4f (%s%s)", form,
                  row->source, row->checked ? "" : ", unchecked");
        return;
    }
    report->theory = form;
    pp_assign(report->theory_note, sizeof report->theory_note, "%s%s%s", row->source,
              theory.exact ? "" : ", approximate", row->checked ? "" : ", unchecked");
}

int pp_predict(const struct pp_schedule *schedule, const struct pp_costs *costs,
               double *bubble, double *makespan_s, struct pp_error *error)
{
    struct pp_timeline timeline = {0};
    struct pp_metrics metrics = {0};
    int status = pp_timeline_init(&timeline, schedule, error);
    if (status == 0)
        status = pp_simulate(schedule, costs, 0, &timeline, error);
    if (status == 0)
        status = pp_metrics_init(&metrics, &timeline, error);
    if (status == 0) {
        *bubble = metrics.bubble.fraction;
        *makespan_s = (double)metrics.makespan / 1e9;
    }
    pp_metrics_release(&metrics);
    pp_timeline_release(&timeline);
    return status;
}
