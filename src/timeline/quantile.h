/* Quantiles of many values. */
#ifndef PP_TIMELINE_QUANTILE_H
#define PP_TIMELINE_QUANTILE_H

#include <stddef.h>

/* The q-quantile, 0 <= q <= 1, of count >= 1 values, none of them NaN: the value at
 * place q (count - 1) of the sorted values, counted from 0, interpolated linearly
 * between its neighbours. Reorders values. Time linear in count, on average. */
double pp_quantile(double *values, size_t count, double q);

#endif
