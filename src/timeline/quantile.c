#include "timeline/quantile.h"

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
