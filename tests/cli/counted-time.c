/* Loaded before ppsim, lets the CPU time of a thread be what it has counted: 1 ns for
 * each multiplication and addition of its matrix products, nothing for all else. What
 * the virtual clock measures is then the same on every machine, under any load. With
 * COUNTED_PER_NS in the environment it takes so many of them for 1 ns: of very many,
 * ops look as if others had had their core. With COUNTED_READS every look at it takes
 * 1 ms: each op, between two looks, then lasts just that. */
#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static __thread long counted; /* multiplications and additions */

void cblas_sgemm(const enum CBLAS_ORDER order, const enum CBLAS_TRANSPOSE trans_a,
                 const enum CBLAS_TRANSPOSE trans_b, const blasint m, const blasint n,
                 const blasint k, const float alpha, const float *a, const blasint lda,
                 const float *b, const blasint ldb, const float beta, float *c,
                 const blasint ldc)
{
    static __typeof__(&cblas_sgemm) product;
    if (!product)
        *(void **)&product = dlsym(RTLD_NEXT, "cblas_sgemm");
    product(order, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    counted += (long)m * n * k;
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    static __thread long looks;
    if (id != CLOCK_THREAD_CPUTIME_ID)
        return (int)syscall(SYS_clock_gettime, id, time);
    if (getenv("COUNTED_READS")) {
        time->tv_sec = ++looks / 1000;
        time->tv_nsec = looks % 1000 * 1000000;
        return 0;
    }
    static long per_ns;
    if (per_ns == 0)
        per_ns = getenv("COUNTED_PER_NS") ? atol(getenv("COUNTED_PER_NS")) : 1;
    long ns = counted / per_ns;
    time->tv_sec = ns / 1000000000;
    time->tv_nsec = ns % 1000000000;
    return 0;
}
