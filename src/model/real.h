/* The number type of the model: float, or double where a test compiles the same
 * sources with -DPP_DOUBLE to hold them against finite differences. */
#ifndef PP_MODEL_REAL_H
#define PP_MODEL_REAL_H

#ifdef PP_DOUBLE
typedef double real;
#else
typedef float real;
#endif

/* Buffers of reals are aligned to this many bytes (a cache line, an AVX-512
 * register), so that a kernel meets the same alignment under every layout. */
enum { PP_ALIGN = 64 };

#endif
