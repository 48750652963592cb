/* The number type of the model: float, or double where a test compiles the same
 * sources with -DPP_DOUBLE to hold them against finite differences. */
#ifndef PP_MODEL_REAL_H
#define PP_MODEL_REAL_H

#include "base/pages.h"

#ifdef PP_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
