/* expf and exp, declared so that gcc may replace a loop of calls by calls of the C
 * library's vector forms (libmvec, within 4 ulp). Needs -O3 and -fno-math-errno,
 * nothing looser. PP_LIBMVEC is the build's finding that the library has these
 * functions; elsewhere the same loops call the scalar ones. */
#ifndef PP_MODEL_VECTOR_MATH_H
#define PP_MODEL_VECTOR_MATH_H

#include <math.h>

#include "model/real.h"

#if defined PP_LIBMVEC && defined __GNUC__ && !defined __clang__
__attribute__((simd("notinbranch"))) float expf(float);
__attribute__((simd("notinbranch"))) double exp(double);
#endif

static inline real pp_exp(real x)
{
    return sizeof x == sizeof(float) ? (real)expf((float)x) : (real)exp((double)x);
}

static inline real pp_sqrt(real x)
{
    return sizeof x == sizeof(float) ? (real)sqrtf((float)x) : (real)sqrt((double)x);
}

#endif
