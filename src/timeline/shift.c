#include "timeline/shift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "timeline/quantile.h"

/* With which chance a shift of the size called seen is claimed. */
static const double power = 0.9;

/* The chance that a normal deviate is above z. */
static double above(double z)
{
    return erfc(z / sqrt(2)) / 2;
}

/* The deviate that is exceeded with this chance, by bisection. */
static double deviate(double chance)
{
    double low = -40, high = 40;
    for (int i = 0; i < 100; i++) {
        double z = (low + high) / 2;
        if (above(z) > chance)
            low = z;
        else
            high = z;
    }
    return low;
}

/* In how many of the orders of n and m values does a value of the n stand after one of
 * the m u times in all? ways[k][u], for k of the n among the first i of all values: the
 * next one is one of the m, or it stands after the i - k that were. */
static double exact_cut(int n, int m, double chance)
{
    size_t most = (size_t)n * (size_t)m, row = most + 1;
    double *ways = calloc(((size_t)n + 1) * row, sizeof *ways);
    if (!ways)
        return -1;
    ways[0] = 1;
    for (int i = 0; i < n + m; i++) {
        for (int k = i < n ? i : n - 1; k >= 0; k--) {
            size_t passed = (size_t)(i - k);
            for (size_t u = passed; u <= most; u++)
                ways[((size_t)k + 1) * row + u] += ways[(size_t)k * row + u - passed];
        }
    }
    const double *of = &ways[(size_t)n * row];
    double all = 0, sum = 0;
    size_t cut = 0;
    for (size_t u = 0; u <= most; u++)
        all += of[u];
    while (cut <= most && (sum += of[cut]) <= chance * all)
        cut++;
    free(ways);
    return (double)cut;
}

double pp_shift_cut(int before_count, int after_count, double chance)
{
    double n = before_count, m = after_count;
    if (n * m <= PP_SHIFT_EXACT)
        return before_count < after_count
                   ? exact_cut(before_count, after_count, chance)
                   : exact_cut(after_count, before_count, chance);
    double cut = n * m / 2 - deviate(chance) * sqrt(n * m * (n + m + 1) / 12) + 0.5;
    return fmax(0, floor(cut));
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Both samples, ascending. */
struct samples {
    double *before, *after;
    int n, m;
    double scatter; /* sigma of a difference, by the quartiles */
};

/* How many differences after - before are at most this? */
static double count_to(const struct samples *samples, double difference)
{
    double count = 0;
    for (int i = 0, j = 0; i < samples->n; i++) {
        while (j < samples->m && samples->after[j] - samples->before[i] <= difference)
            j++;
        count += j;
    }
    return count;
}

/* The k-th smallest difference, k from 1, by bisection between the smallest and the
 * largest until no double is left between. */
static double kth(const struct samples *samples, double k)
{
    double low = samples->after[0] - samples->before[samples->n - 1];
    double high = samples->after[samples->m - 1] - samples->before[0];
    if (count_to(samples, low) >= k)
        return low;
    for (;;) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            return high;
        if (count_to(samples, middle) >= k)
            high = middle;
        else
            low = middle;
    }
}

/* The middle one of those that stand where a value would, were the sample sorted. */
static double rank_in(const double *sorted, int count, double value)
{
    int below = 0, upto = 0;
    while (below < count && sorted[below] < value)
        below++;
    for (upto = below; upto < count && sorted[upto] <= value;)
        upto++;
    return (below + upto) / 2.0;
}

/* The lag-1 autocorrelation of the ranks; 0 where all are equal. */
static double autocorrelation(const double *values, const double *sorted, int count)
{
    double products = 0, squares = 0, last = 0;
    for (int i = 0; i < count; i++) {
        double rank = rank_in(sorted, count, values[i]) - count / 2.0;
        products += i > 0 ? rank * last : 0;
        squares += rank * rank;
        last = rank;
    }
    return squares > 0 ? products / squares : 0;
}

/* Of both runs together: E r = rho - (1 + 3 rho) / n. What chance may make is none. */
static double inflation_of(double before, double after, int n, int m)
{
    double r = (before * n + after * m) / (n + m), steps = (n + m) / 2.0;
    if (steps <= 4 || r < 1.645 / sqrt(n + m))
        return 1;
    double rho = fmin(fmax((steps * r + 1) / (steps - 3), 0), 0.99);
    return (1 + rho) / (1 - rho);
}

/* What the values scatter by; reorders them. */
static double sigma_of(double *values, size_t count)
{
    double high = pp_quantile(values, count, 0.75);
    return (high - pp_quantile(values, count, 0.25)) / 1.349;
}

/* Cuts off what the level and the inflation ask for. */
static int set_interval(const struct samples *samples, double level,
                        struct pp_shift *shift)
{
    double z = deviate(level / 2), all = (double)samples->n * samples->m;
    double cut =
        pp_shift_cut(samples->n, samples->m, above(z * sqrt(shift->inflation)));
    double plain = pp_shift_cut(samples->n, samples->m, level / 2);
    if (cut < 0 || plain < 0)
        return -1;
    shift->enough = plain >= 1;
    if (!shift->enough)
        return 0;
    cut = fmax(cut, 1);
    double of_runs = z * PP_SHIFT_RUN * samples->scatter;
    shift->low = shift->shift - hypot(shift->shift - kth(samples, cut), of_runs);
    shift->high =
        shift->shift + hypot(kth(samples, all + 1 - cut) - shift->shift, of_runs);
    shift->seen = (shift->high - shift->low) / 2 * (1 + deviate(1 - power) / z);
    shift->claimed = shift->low > 0 || shift->high < 0;
    return 0;
}

int pp_shift_of(const double *before, int before_count, const double *after,
                int after_count, double level, struct pp_shift *shift,
                struct pp_error *error)
{
    size_t n = (size_t)before_count, m = (size_t)after_count;
    double *sorted = malloc((n + m) * sizeof *sorted);
    struct samples samples = {sorted, sorted + n, before_count, after_count, 0};
    double all = (double)before_count * after_count;
    int result = -1;
    *shift = (struct pp_shift){
        .low = -INFINITY, .high = INFINITY, .seen = INFINITY, .inflation = 1};
    if (!sorted)
        goto done;
    memcpy(samples.before, before, n * sizeof *before);
    memcpy(samples.after, after, m * sizeof *after);
    samples.scatter = hypot(sigma_of(samples.before, n), sigma_of(samples.after, m));
    qsort(samples.before, n, sizeof *sorted, ascending);
    qsort(samples.after, m, sizeof *sorted, ascending);
    shift->shift =
        (kth(&samples, floor((all + 1) / 2)) + kth(&samples, floor(all / 2) + 1)) / 2;
    shift->inflation = inflation_of(
        autocorrelation(before, samples.before, before_count),
        autocorrelation(after, samples.after, after_count), before_count, after_count);
    result = set_interval(&samples, level, shift);

done:
    free(sorted);
    if (result != 0)
        pp_fail(error, PP_ENVIRONMENT, "out of memory to compare %d steps with %d",
                before_count, after_count);
    return result;
}

static double variance_of_median(const struct pp_spread *spread)
{
    double sigma = (spread->p95 - spread->p5) / 3.2897;
    return sigma * sigma *
           (1.2533 * 1.2533 / spread->draws + PP_SHIFT_RUN * PP_SHIFT_RUN);
}

struct pp_shift pp_median_shift(const struct pp_spread *before,
                                const struct pp_spread *after, double level)
{
    double z = deviate(level / 2), shift = after->median - before->median;
    double half = z * sqrt(variance_of_median(before) + variance_of_median(after));
    return (struct pp_shift){
        .shift = shift,
        .low = shift - half,
        .high = shift + half,
        .seen = half * (1 + deviate(1 - power) / z),
        .inflation = 1,
        .enough = true,
        .claimed = fabs(shift) > half,
    };
}
