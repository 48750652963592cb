/* The one door to BLAS: matrix products of reals, threads, and what library it is. */
#ifndef PP_MODEL_BLAS_H
#define PP_MODEL_BLAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/real.h"

/* An operand of a product: row-major, rows stride elements apart, read transposed or
 * as it stands. */
struct pp_matrix {
    const real *data;
    int stride;
    bool transposed;
};

/* c (m, n) = alpha a (m, k) b (k, n) + beta c; the shapes are those after transposing.
 * c is not read where beta is 0. */
void pp_gemm(int m, int n, int k, real alpha, struct pp_matrix a, struct pp_matrix b,
             real beta, real *c, int c_stride);

/* Loads the library: to be called before any other function here. threads: how many a
 * product may use. Has the library take its work buffers now: otherwise it does so at
 * the first product, and where there is no memory tries for ever. PP_ENVIRONMENT if
 * there is none. */
int pp_blas_init(int threads, struct pp_error *error);

/* Writes the library, its version and the kernels it runs, as "OpenBLAS 0.3.21
 * (SkylakeX)"; returns text. OpenBLAS chooses the kernels for the CPU when it is
 * loaded, unless OPENBLAS_CORETYPE names others. */
const char *pp_blas_description(char *text, size_t size);

#endif
