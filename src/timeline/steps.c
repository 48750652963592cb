#include "timeline/steps.h"

#include <math.h>
#include <stdlib.h>

static double bubble_of(const struct pp_step *step)
{
    return isnan(step->bubble) ? INFINITY : step->bubble;
}

static double makespan_of(const struct pp_step *step)
{
    return (double)step->makespan;
}

/* Steps in the order of a value, equal ones in their own order. */
struct order {
    const struct pp_step *steps;
    int count;
    double (*value)(const struct pp_step *step);
};

static bool before(const struct order *order, int a, int b)
{
    double x = order->value(&order->steps[a]);
    double y = order->value(&order->steps[b]);
    return x < y || (x == y && a < b);
}

static bool between(const struct order *order, int i, int low, int high)
{
    return (low < 0 || before(order, low, i)) && (high < 0 || before(order, i, high));
}

/* Selection without memory: keeps the bounds between which the median lies (-1: no
 * bound yet), and narrows them by a pivot from the middle of those left. */
static int lower_median(const struct order *order)
{
    int low = -1, high = -1;
    for (;;) {
        int left = 0, pivot = -1, below = 0;
        for (int i = 0; i < order->count; i++)
            left += between(order, i, low, high);
        for (int i = 0, seen = 0; pivot < 0; i++) {
            if (between(order, i, low, high) && seen++ == left / 2)
                pivot = i;
        }
        for (int i = 0; i < order->count; i++)
            below += before(order, i, pivot);
        if (below == (order->count - 1) / 2)
            return pivot;
        if (below < (order->count - 1) / 2)
            low = pivot;
        else
            high = pivot;
    }
}

int pp_representative(const struct pp_step *steps, int count)
{
    return lower_median(&(struct order){steps, count, bubble_of});
}

struct pp_makespans pp_makespans(const struct pp_step *steps, int count)
{
    int median = lower_median(&(struct order){steps, count, makespan_of});
    struct pp_makespans spans = {steps[median].makespan, INT64_MAX, INT64_MIN};
    for (int i = 0; i < count; i++) {
        if (steps[i].makespan < spans.min)
            spans.min = steps[i].makespan;
        if (steps[i].makespan > spans.max)
            spans.max = steps[i].makespan;
    }
    return spans;
}

/* Hoare's FIND (CACM 4(7), 1961): moves values so that values[k] is the k-th smallest,
 * with none greater before it and none smaller behind. */
static void select_kth(double *values, size_t count, size_t k)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = values[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            double swap = values[i];
            values[i++] = values[j];
            values[j--] = swap;
        }
        /* Left of i nothing is greater than the pivot, right of j nothing smaller. */
        if (k <= j && j < high)
            high = j;
        else if (k >= i && i > low)
            low = i;
        else
            return;
    }
}

double pp_quantile(double *values, size_t count, double q)
{
    double place = q * (double)(count - 1);
    size_t k = (size_t)place;
    select_kth(values, count, k);
    if (k + 1 >= count || place == (double)k)
        return values[k];
    double next = values[k + 1];
    for (size_t i = k + 2; i < count; i++)
        next = values[i] < next ? values[i] : next;
    return values[k] + (place - (double)k) * (next - values[k]);
}

/* The ops of one kind on one stage. */
struct sample {
    int64_t count, min, max;
    size_t first; /* of its durations, where they vary */
};

struct samples {
    const struct pp_timeline *timelines;
    int timeline_count;
    struct sample *of; /* [stages][PP_KINDS] */
    size_t cells;
    double *durations; /* of the samples that vary, one after the other */
};

static size_t cell_of(struct pp_op op)
{
    return (size_t)op.stage * PP_KINDS + op.kind;
}

static void find_ranges(struct samples *samples)
{
    for (int t = 0; t < samples->timeline_count; t++) {
        const struct pp_timeline *timeline = &samples->timelines[t];
        const struct pp_op *ops = timeline->schedule->ops;
        size_t count = pp_schedule_ops(timeline->schedule);
        for (size_t k = 0; k < count; k++) {
            struct sample *sample = &samples->of[cell_of(ops[k])];
            int64_t took = timeline->spans[k].end - timeline->spans[k].start;
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
            struct sample *sample = &samples->of[cell_of(ops[k])];
            const struct pp_span *span = &timeline->spans[k];
            if (sample->min < sample->max)
                samples->durations[sample->first++] = (double)(span->end - span->start);
        }
    }
    return 0;
}

static struct pp_cost cost_of(const struct samples *samples, size_t cell)
{
    const struct sample *sample = &samples->of[cell];
    struct pp_cost cost = {
        .stage = (int)(cell / PP_KINDS),
        .kind = (enum pp_kind)(cell % PP_KINDS),
        .median = sample->min,
        .p5 = sample->min,
        .p95 = sample->min,
        .count = sample->count,
    };
    if (sample->min < sample->max) {
        size_t count = (size_t)sample->count;
        double *durations = samples->durations + sample->first - count;
        cost.median = llround(pp_quantile(durations, count, 0.5));
        cost.p5 = llround(pp_quantile(durations, count, 0.05));
        cost.p95 = llround(pp_quantile(durations, count, 0.95));
    }
    return cost;
}

int pp_costs_collect(const struct pp_timeline *timelines, int timeline_count,
                     struct pp_cost **costs, int *count, struct pp_error *error)
{
    int stages = timeline_count > 0 ? timelines[0].schedule->stages : 0;
    struct samples samples = {
        .timelines = timelines,
        .timeline_count = timeline_count,
        .cells = (size_t)stages * PP_KINDS,
        .of = calloc((size_t)stages * PP_KINDS + 1, sizeof *samples.of),
    };
    int result = -1;
    *count = 0;
    *costs = malloc((samples.cells + 1) * sizeof **costs);
    if (!samples.of || !*costs) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the costs of %d stages",
                stages);
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
