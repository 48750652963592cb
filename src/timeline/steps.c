#include "timeline/steps.h"

#include <math.h>

/* The steps in the order of one of their values; steps of equal value in their own
 * order, so that every step has a place of its own. */
struct order {
    const struct pp_step *steps;
    int count;
    double (*value)(const struct pp_step *step);
};

/* A step without a bubble (nothing was busy) comes last. */
static double bubble_of(const struct pp_step *step)
{
    return isnan(step->bubble) ? INFINITY : step->bubble;
}

static double makespan_of(const struct pp_step *step)
{
    return (double)step->makespan;
}

static bool before(const struct order *order, int a, int b)
{
    double x = order->value(&order->steps[a]);
    double y = order->value(&order->steps[b]);
    return x < y || (x == y && a < b);
}

/* Does step i stand between the steps low and high? -1: no bound there. */
static bool between(const struct order *order, int i, int low, int high)
{
    return (low < 0 || before(order, low, i)) && (high < 0 || before(order, i, high));
}

/* The index of the median step, the lower one of an even number. pp_quantile would do
 * for its value, but not for its index, and needs a copy that it may reorder. Here the
 * steps stay where they are: two bounds are kept between which the median lies, and a
 * pivot, a step from the middle of those left in their own order, becomes one of them,
 * according to how many steps stand before it. Each round looks at all steps, and
 * leaves about half of the candidates. */
static int median_step(const struct order *order)
{
    int low = -1, high = -1, place = (order->count - 1) / 2;
    for (;;) {
        int left = 0, pivot = -1, before_pivot = 0;
        for (int i = 0; i < order->count; i++)
            left += between(order, i, low, high);
        for (int i = 0, seen = 0; pivot < 0; i++) {
            if (between(order, i, low, high) && seen++ == left / 2)
                pivot = i;
        }
        for (int i = 0; i < order->count; i++)
            before_pivot += before(order, i, pivot);
        if (before_pivot == place)
            return pivot;
        if (before_pivot < place)
            low = pivot;
        else
            high = pivot;
    }
}

int pp_representative(const struct pp_step *steps, int count)
{
    return median_step(&(struct order){steps, count, bubble_of});
}

struct pp_makespans pp_makespans(const struct pp_step *steps, int count)
{
    int median = median_step(&(struct order){steps, count, makespan_of});
    struct pp_makespans spans = {steps[median].makespan, INT64_MAX, INT64_MIN};
    for (int i = 0; i < count; i++) {
        if (steps[i].makespan < spans.min)
            spans.min = steps[i].makespan;
        if (steps[i].makespan > spans.max)
            spans.max = steps[i].makespan;
    }
    return spans;
}
