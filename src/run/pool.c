#include "run/pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/pages.h"

void pp_meter_add(struct pp_meter *meter, int count, int64_t bytes)
{
    meter->held += count;
    meter->bytes += bytes;
}

void pp_meter_look(struct pp_meter *meter)
{
    if (meter->held > meter->peak)
        meter->peak = meter->held;
    if (meter->bytes > meter->peak_bytes)
        meter->peak_bytes = meter->bytes;
}

/* One more idle buffer. */
static int grow(struct pp_pool *pool)
{
    void **idle = realloc(pool->idle, ((size_t)pool->total + 1) * sizeof *idle);
    if (!idle)
        return -1;
    pool->idle = idle;
    void *buffer = pp_touched_alloc(pool->bytes);
    if (!buffer)
        return -1;
    pool->total++;
    pool->idle[pool->idle_count++] = buffer;
    return 0;
}

int pp_pool_init(struct pp_pool *pool, size_t bytes, int count, struct pp_error *error)
{
    *pool = (struct pp_pool){.bytes = bytes};
    for (int i = 0; i < count; i++) {
        if (grow(pool) != 0) {
            pp_pool_release(pool);
            return pp_fail(error, PP_ENVIRONMENT,
                           "out of memory for %d buffers of %zu bytes", count, bytes);
        }
    }
    return 0;
}

void pp_pool_release(struct pp_pool *pool)
{
    assert(pool->idle_count == pool->total);
    for (int i = 0; i < pool->total; i++)
        free(pool->idle[i]);
    free(pool->idle);
    *pool = (struct pp_pool){0};
}

void *pp_pool_take(struct pp_pool *pool)
{
    if (pool->idle_count == 0 && grow(pool) != 0) {
        fprintf(stderr, "ppsim: out of memory for a buffer of %zu bytes\n",
                pool->bytes);
        abort();
    }
    return pool->idle[--pool->idle_count];
}

void pp_pool_give(struct pp_pool *pool, void *buffer)
{
    assert(pool->idle_count < pool->total);
    pool->idle[pool->idle_count++] = buffer;
}
