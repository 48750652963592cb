#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20 };

void pp_large_pages(void *memory, size_t bytes)
{
    size_t skipped = -(uintptr_t)memory % LARGE_PAGE;
    if (memory && skipped < bytes)
        madvise((char *)memory + skipped, bytes - skipped, MADV_HUGEPAGE);
}
