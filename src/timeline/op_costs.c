#include "timeline/op_costs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/quantile.h"

/* The ops of one kind on one stage. */
struct sample {
    int64_t count, min, max;
    size_t first; /* of its durations, where they vary */
};

struct samples {
    const struct pp_timeline *timelines;
    int timeline_count;
    const struct pp_schedule *schedule; /* of all of them */
    size_t classes;                     /* at least 1 */
    struct sample *of;                  /* [stages][classes][PP_KINDS] */
    size_t cells;
    double *durations; /* of the samples that vary, one after the other */
};

static size_t cell_of(const struct samples *samples, struct pp_op op)
{
    const int *class_of = samples->schedule->class_of;
    size_t of_class = class_of ? (size_t)class_of[op.microbatch] : 0;
    return (op.stage * samples->classes + of_class) * PP_KINDS + op.kind;
}

/* What the k-th op needed, in ns. */
static int64_t need_of(const struct pp_timeline *timeline, size_t k)
{
    if (timeline->cpu)
        return timeline->cpu[k].op;
    return timeline->spans[k].end - timeline->spans[k].start;
}

static void find_ranges(struct samples *samples)
{
    for (int t = 0; t < samples->timeline_count; t++) {
        const struct pp_timeline *timeline = &samples->timelines[t];
        const struct pp_op *ops = timeline->schedule->ops;
        size_t count = pp_schedule_ops(timeline->schedule);
        for (size_t k = 0; k < count; k++) {
            struct sample *sample = &samples->of[cell_of(samples, ops[k])];
            int64_t took = need_of(timeline, k);
            if (sample->count++ == 0)
                sample->min = sample->max = took;
            else if (took < sample->min)
                sample->min = took;
            else if (took > sample->max)
                sample->max = took;
        }
    }
}

/* Only durations that vary are looked at again: those of a simulation without noise,
 * which may have tens of millions of ops, are all the same. */
static int gather(struct samples *samples, struct pp_error *error)
{
    size_t total = 0;
    for (size_t c = 0; c < samples->cells; c++) {
        struct sample *sample = &samples->of[c];
        sample->first = total;
        if (sample->min < sample->max)
            total += (size_t)sample->count;
    }
    if (total == 0)
        return 0;
    samples->durations = malloc(total * sizeof *samples->durations);
    if (!samples->durations)
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for the durations of %zu ops", total);
    for (int t = 0; t < samples->timeline_count; t++) {
        const struct pp_timeline *timeline = &samples->timelines[t];
        const struct pp_op *ops = timeline->schedule->ops;
        size_t count = pp_schedule_ops(timeline->schedule);
        for (size_t k = 0; k < count; k++) {
            struct sample *sample = &samples->of[cell_of(samples, ops[k])];
            if (sample->min < sample->max)
                samples->durations[sample->first++] = (double)need_of(timeline, k);
        }
    }
    return 0;
}

static struct pp_cost cost_of(const struct samples *samples, size_t cell)
{
    const struct sample *sample = &samples->of[cell];
    size_t of_class = cell / PP_KINDS % samples->classes;
    struct pp_cost cost = {
        .stage = (int)(cell / PP_KINDS / samples->classes),
        .kind = (enum pp_kind)(cell % PP_KINDS),
        .median = sample->min,
        .p5 = sample->min,
        .p95 = sample->min,
        .count = sample->count,
    };
    if (pp_decodes(samples->schedule))
        cost.of_class = samples->schedule->classes[of_class];
    if (sample->min < sample->max) {
        size_t count = (size_t)sample->count;
        double *durations = samples->durations + sample->first - count;
        cost.median = llround(pp_quantile(durations, count, 0.5));
        cost.p5 = llround(pp_quantile(durations, count, 0.05));
        cost.p95 = llround(pp_quantile(durations, count, 0.95));
    }
    return cost;
}

bool pp_same_class(const struct pp_class *a, const struct pp_class *b)
{
    return a->rows == b->rows && strcmp(a->label, b->label) == 0;
}

int pp_costs_collect(const struct pp_timeline *timelines, int timeline_count,
                     struct pp_cost **costs, int *count, struct pp_error *error)
{
    const struct pp_schedule *schedule = timelines[0].schedule;
    struct samples samples = {
        .timelines = timelines,
        .timeline_count = timeline_count,
        .schedule = schedule,
        .classes = pp_decodes(schedule) ? (size_t)schedule->class_count : 1,
    };
    samples.cells = (size_t)schedule->stages * samples.classes * PP_KINDS;
    samples.of = calloc(samples.cells + 1, sizeof *samples.of);
    int result = -1;
    *count = 0;
    *costs = malloc((samples.cells + 1) * sizeof **costs);
    if (!samples.of || !*costs) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the costs of %d stages",
                schedule->stages);
        goto done;
    }
    find_ranges(&samples);
    if (gather(&samples, error) != 0)
        goto done;
    for (size_t c = 0; c < samples.cells; c++) {
        if (samples.of[c].count > 0)
            (*costs)[(*count)++] = cost_of(&samples, c);
    }
    result = 0;
done:
    if (result != 0) {
        free(*costs);
        *costs = NULL;
    }
    free(samples.of);
    free(samples.durations);
    return result;
}
