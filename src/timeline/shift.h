/* By how much the steps of one run differ from those of another, and whether that is
 * more than the steps differ among themselves.
 *
 * The rank-sum test of Wilcoxon, Mann & Whitney (Annals of Mathematical Statistics 18,
 * 1947), turned into an interval: of all n * m differences between a step after and a
 * step before, the median is the shift (Hodges & Lehmann, Annals of Mathematical
 * Statistics 34, 1963), and those that remain when equally many are cut off at both
 * ends are its interval (Moses; Hollander & Wolfe, Nonparametric Statistical Methods,
 * 1973, section 4.3). The shift is a claim where the interval leaves out 0. Nothing is
 * assumed of how the times are distributed but that both runs' are alike; equal values
 * only widen the interval.
 *
 * Steps are no independent draws: a machine drifts. Where neighbours are alike, n steps
 * are worth n (1 - rho) / (1 + rho) (Bartlett, Journal of the Royal Statistical Society
 * 98, 1935), rho being the lag-1 autocorrelation of their ranks, where it is higher
 * than that of 19 in 20 independent runs (1.645 / sqrt(n), Bartlett again), after
 * correction for its bias (Marriott & Pope, Biometrika 41, 1954). And a run as a whole
 * is off from the next one of the same command, of which one run says nothing: it is
 * assumed to be so by PP_SHIFT_RUN times what its steps scatter by (the distance of
 * their quartiles over 1.349, sigma of a normal distribution), which widens the
 * interval. What goes beyond, such as other load on the machine, no test of two runs
 * can tell from a change. */
#ifndef PP_TIMELINE_SHIFT_H
#define PP_TIMELINE_SHIFT_H

#include <stdbool.h>

#include "base/error.h"

#define PP_SHIFT_RUN 0.5

struct pp_shift {
    double shift;     /* after - before */
    double low, high; /* its interval */
    double seen;      /* a shift of this size would be claimed 9 times in 10 */
    double inflation; /* (1 + rho) / (1 - rho), at least 1 */
    bool enough;      /* false: with so few steps no shift whatever is a claim, and low,
                       * high and seen are infinite */
    bool claimed;     /* 0 is not in the interval */
};

/* level: the share of wrong claims where both are alike, 0 < level < 1. The values
 * stand in the order of the steps and are finite; both counts are at least 1.
 * However alike neighbours are, one difference is cut off at each end if there are
 * steps enough: few steps that do not overlap at all are never too few for their
 * likeness. PP_ENVIRONMENT when out of memory. */
int pp_shift_of(const double *before, int before_count, const double *after,
                int after_count, double level, struct pp_shift *shift,
                struct pp_error *error);

/* The shift between two medians of which only the spread is known. A median of n draws
 * deviates by 1.2533 sigma / sqrt(n) (the normal distribution's; Kendall & Stuart, The
 * Advanced Theory of Statistics 1, 10.10), and sigma is the 5th to 95th percentile,
 * over 3.2897. */
struct pp_spread {
    double median, p5, p95;
    double draws; /* independent ones, more than 0 */
};
struct pp_shift pp_median_shift(const struct pp_spread *before,
                                const struct pp_spread *after, double level);

/* How many of the differences must be cut off at each end, so that where both are alike
 * the interval misses 0 at one end with this chance at most; 0: there are too few.
 * Exact for up to PP_SHIFT_EXACT differences, beyond by the normal distribution. -1:
 * out of memory. */
enum { PP_SHIFT_EXACT = 2500 };
double pp_shift_cut(int before_count, int after_count, double chance);

#endif
