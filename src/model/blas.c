#include "model/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* The library is loaded by those who multiply matrices, and by no one else: it starts
 * its threads as soon as it is there, and where addresses are short it tries for ever.
 * This is the name of its interface on every Linux. */
static const char library[] = "libopenblas.so.0";

#ifdef PP_DOUBLE
static __typeof__(&cblas_dgemm) product;
static const char product_name[] = "cblas_dgemm";
#else
static __typeof__(&cblas_sgemm) product;
static const char product_name[] = "cblas_sgemm";
#endif
static __typeof__(&openblas_set_num_threads) set_threads;
static __typeof__(&openblas_get_config) get_config;
static __typeof__(&openblas_get_corename) get_corename;

void pp_gemm(int m, int n, int k, real alpha, struct pp_matrix a, struct pp_matrix b,
             real beta, real *c, int c_stride)
{
    product(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
            b.transposed ? CblasTrans : CblasNoTrans, m, n, k, alpha, a.data, a.stride,
            b.data, b.stride, beta, c, c_stride);
}

static int load(int threads, struct pp_error *error)
{
    char count[16];
    snprintf(count, sizeof count, "%d", threads);
    setenv("OPENBLAS_NUM_THREADS", count, 1); /* or it starts one for each core */
    if (!dlopen(library, RTLD_NOW | RTLD_GLOBAL))
        return pp_fail(error, PP_ENVIRONMENT,
                       "cannot load OpenBLAS: %s: is it (Debian: libopenblas0) "
                       "installed",
                       dlerror());
    *(void **)&product = dlsym(RTLD_DEFAULT, product_name);
    *(void **)&set_threads = dlsym(RTLD_DEFAULT, "openblas_set_num_threads");
    *(void **)&get_config = dlsym(RTLD_DEFAULT, "openblas_get_config");
    *(void **)&get_corename = dlsym(RTLD_DEFAULT, "openblas_get_corename");
    if (product && set_threads && get_config && get_corename)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT,
                   "'%s' lacks functions of OpenBLAS: is it another library", library);
}

int pp_blas_init(int threads, struct pp_error *error)
{
    /* Debian's OpenBLAS takes 128 MiB of addresses a thread, and little of it as
     * memory. The matrices are too large for its kernels that need no buffer. */
    enum { BUFFER = 128 << 20, SIDE = 128 };
    size_t bytes = (size_t)threads * BUFFER + BUFFER / 2;
    void *room =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room != MAP_FAILED)
        munmap(room, bytes);
    real *square = calloc(2 * SIDE * SIDE, sizeof *square);
    if (room == MAP_FAILED || !square) {
        free(square);
        return pp_fail(error, PP_ENVIRONMENT,
                       "out of memory for BLAS: it takes %d MiB of addresses a "
                       "thread; is 'ulimit -v' lower",
                       BUFFER >> 20);
    }
    int status = load(threads, error);
    if (status == 0) {
        struct pp_matrix a = {square, SIDE, false};
        set_threads(threads);
        pp_gemm(SIDE, SIDE, SIDE, 1, a, a, 0, square + SIDE * SIDE, SIDE);
    }
    free(square);
    return status;
}

const char *pp_blas_description(char *text, size_t size)
{
    /* The configuration starts with "OpenBLAS 0.3.21 …". */
    char version[32] = "";
    sscanf(get_config(), "OpenBLAS %31s", version);
    snprintf(text, size, "OpenBLAS %s (%s)", version, get_corename());
    return text;
}
