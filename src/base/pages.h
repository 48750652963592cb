/* The memory that a measurement must not wait for: arrays of zeros whose pages are
 * there, and large pages. */
#ifndef PP_BASE_PAGES_H
#define PP_BASE_PAGES_H

#include <stddef.h>

/* Arrays that kernels work on are aligned to this many bytes (a cache line, an AVX-512
 * register), so that a kernel meets the same alignment under every layout. */
enum { PP_ALIGN = 64 };

/* At least bytes zeros, aligned to PP_ALIGN, every page of them touched: calloc would
 * leave that to the first write, within a step. NULL when out of memory; the caller
 * frees. */
void *pp_touched_alloc(size_t bytes);

/* Asks for large pages under an array that was just allocated and not touched yet: an
 * engine that jumps between a thousand ranks' rows otherwise spends its time on page
 * faults and on looking addresses up. Only a hint, and none for small arrays. */
void pp_large_pages(void *memory, size_t bytes);

/* The same as pp_touched_alloc, in large pages where there are any: for what is read
 * from one end to the other. */
void *pp_large_alloc(size_t bytes);

#endif
