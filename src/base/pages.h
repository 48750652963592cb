/* Large arrays on large pages. */
#ifndef PP_BASE_PAGES_H
#define PP_BASE_PAGES_H

#include <stddef.h>

/* Asks for large pages under an array that was just allocated and not touched yet: an
 * engine that jumps between a thousand ranks' rows otherwise spends its time on page
 * faults and on looking addresses up. Only a hint, and none for small arrays. */
void pp_large_pages(void *memory, size_t bytes);

#endif
