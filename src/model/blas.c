#include "model/blas.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

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

int pp_blas_init(int threads, struct pp_error *error)
{
    /* Debian's OpenBLAS takes 128 MiB of addresses a thread, and little of it as
     * memory. The matrices are too large for its kernels that need no buffer. */
    enum { BUFFER = 128 << 20, SIDE = 128 };
    size_t bytes = (size_t)threads * BUFFER + BUFFER / 2;
    void *room =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    real *square = calloc(2 * SIDE * SIDE, sizeof *square);
    bool enough = room != MAP_FAILED && square;
    if (room != MAP_FAILED)
        munmap(room, bytes);
    if (enough) {
        struct pp_matrix a = {square, SIDE, false};
        openblas_set_num_threads(threads);
        pp_gemm(SIDE, SIDE, SIDE, 1, a, a, 0, square + SIDE * SIDE, SIDE);
    }
    free(square);
    return enough ? 0
                  : pp_fail(error, PP_ENVIRONMENT,
                            "out of memory for BLAS: each of its threads needs %d MiB "
                            "of address space: raise 'ulimit -v'",
                            BUFFER >> 20);
}

const char *pp_blas_description(char *text, size_t size)
{
    /* The configuration starts with "OpenBLAS 0.3.21 …". */
    char version[32] = "";
    sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    snprintf(text, size, "OpenBLAS %s (%s)", version, openblas_get_corename());
    return text;
}
