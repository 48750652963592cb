#include "base/pages.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20 };

static void *zeros(size_t bytes, bool large)
{
    size_t room = (bytes / PP_ALIGN + 1) * PP_ALIGN;
    void *memory = aligned_alloc(PP_ALIGN, room);
    if (large)
        pp_large_pages(memory, room);
    return memory ? memset(memory, 0, room) : NULL;
}

void *pp_touched_alloc(size_t bytes)
{
    return zeros(bytes, false);
}

void *pp_large_alloc(size_t bytes)
{
    return zeros(bytes, true);
}

void pp_large_pages(void *memory, size_t bytes)
{
    size_t skipped = -(uintptr_t)memory % LARGE_PAGE;
    if (memory && skipped < bytes)
        madvise((char *)memory + skipped, bytes - skipped, MADV_HUGEPAGE);
}
