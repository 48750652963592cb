/* Vectors of floats as wide as the CPU's, and the multiplication and addition that
 * sums are made of. Where the CPU has a fused one it is asked for by name: left to
 * itself a compiler fuses in one loop and not in the next, and then a sum's bits depend
 * on the loop that computed it. Each lane is an element of its own, so that the width
 * changes no bit. */
#ifndef PP_MODEL_FUSED_H
#define PP_MODEL_FUSED_H

#if defined __AVX512F__ || (defined __AVX2__ && defined __FMA__)
#include <immintrin.h>
#endif

#if defined __AVX512F__
enum { PP_LANES = 16 };
#elif defined __AVX2__ && defined __FMA__
enum { PP_LANES = 8 };
#else
enum { PP_LANES = 4 };
#endif

/* At any address of a float. */
typedef float pp_vector
    __attribute__((vector_size(4 * PP_LANES), aligned(sizeof(float)), may_alias));

/* a b + c in each lane, rounded once where the CPU can, else twice: always alike. */
static inline pp_vector pp_fused(pp_vector a, pp_vector b, pp_vector c)
{
#if defined __AVX512F__
    return (pp_vector)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined __AVX2__ && defined __FMA__
    return (pp_vector)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c; /* the build forbids to contract it */
#endif
}

/* x in each lane. */
static inline pp_vector pp_spread(float x)
{
    return x - (pp_vector){0};
}

#endif
