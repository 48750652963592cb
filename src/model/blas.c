#include "model/blas.h"

#include <cblas.h>
#include <stdio.h>

void pp_gemm(int m, int n, int k, real alpha, struct pp_matrix a, struct pp_matrix b,
             real beta, real *c, int c_stride)
{
#ifdef PP_DOUBLE
    cblas_dgemm(
#else
    cblas_sgemm(
#endif
        CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
        b.transposed ? CblasTrans : CblasNoTrans, m, n, k, alpha, a.data, a.stride,
        b.data, b.stride, beta, c, c_stride);
}

void pp_blas_set_threads(int threads)
{
    openblas_set_num_threads(threads);
}

const char *pp_blas_description(char *text, size_t size)
{
    /* The configuration starts with "OpenBLAS 0.3.21 …". */
    char version[32] = "";
    sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    snprintf(text, size, "OpenBLAS %s (%s)", version, openblas_get_corename());
    return text;
}
