/* Loaded before ppsim, lets the CPU time of a thread be what it has counted: 1 ns for
 * each multiplication and addition of its matrix products, nothing for all else. What
 * the virtual clock measures is then the same on every machine, under any load. */
#include <cblas.h>
#include <dlfcn.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static __thread long counted; /* ns */

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
    if (id != CLOCK_THREAD_CPUTIME_ID)
        return (int)syscall(SYS_clock_gettime, id, time);
    time->tv_sec = counted / 1000000000;
    time->tv_nsec = counted % 1000000000;
    return 0;
}
