/* Pools of equal buffers, allocated and touched before training, and the meter that
 * counts what of them is in use: the report's peaks are what it saw, not a formula. */
#ifndef PP_RUN_POOL_H
#define PP_RUN_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What is held now, and the most that was at a look. */
struct pp_meter {
    int held, peak;
    int64_t bytes, peak_bytes;
};
void pp_meter_add(struct pp_meter *meter, int count, int64_t bytes);
void pp_meter_look(struct pp_meter *meter);

struct pp_pool {
    size_t bytes; /* of a buffer */
    void **idle;  /* [total] the first idle_count are idle */
    int idle_count, total;
};

/* count buffers of at least so many bytes, aligned to PP_ALIGN, every page touched so
 * that no op takes a first-touch fault. PP_ENVIRONMENT when out of memory. */
int pp_pool_init(struct pp_pool *pool, size_t bytes, int count, struct pp_error *error);
/* All buffers must have been given back. */
void pp_pool_release(struct pp_pool *pool);

/* Takes a buffer; where the schedule's count falls short (sends that outlive their op
 * because the receiver is late), the pool grows by one, once. Exits through abort when
 * out of memory. */
void *pp_pool_take(struct pp_pool *pool);
void pp_pool_give(struct pp_pool *pool, void *buffer);

#endif
