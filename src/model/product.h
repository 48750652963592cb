/* Products whose bits do not depend on how many rows are multiplied at once: element m
 * of a row is its bias, then x[0] w[0][m], x[1] w[1][m], … added one by one, whatever
 * rows, calls or chunks the rows come in. No BLAS promises that. And a product of few
 * rows runs as fast as its weights can be read: they lie as they are read, one stream.
 *
 * Dimension legend: N rows, K inputs, M outputs; all arrays row-major. */
#ifndef PP_MODEL_PRODUCT_H
#define PP_MODEL_PRODUCT_H

#include <stddef.h>

/* The weights W (K, M) of a linear layer, packed: its columns in panels of a few
 * vectors' width, one behind the other, each (K, width), the last one filled up by
 * zeros. */
struct pp_panels {
    int inputs, outputs; /* K, M */
    float *data;         /* borrowed: pp_panels_count floats, aligned to PP_ALIGN */
};

size_t pp_panels_count(int inputs, int outputs);

/* Overwrites the panels by w (K, M). */
void pp_panels_pack(const struct pp_panels *panels, const float *w);
/* The same of w (M, K), that is transposed. */
void pp_panels_pack_transposed(const struct pp_panels *panels, const float *w);

/* The reverse for one column m: column (K). */
void pp_panels_column(float *column, const struct pp_panels *panels, int m);

/* y = x W + b, plus residual where that is not NULL, added last (it may be y itself).
 * y, residual (N, M), x (N, K): the rows of y and of residual y_stride elements apart,
 * those of x x_stride. b (M), or NULL: zeros. */
void pp_product(float *y, const float *residual, size_t y_stride, const float *x,
                size_t x_stride, const struct pp_panels *panels, const float *b, int N);

#endif
