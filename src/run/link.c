#include "run/link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "run/clock.h"
#include "timeline/core_share.h"
#include "timeline/quantile.h"

enum {
    ROUNDS = 30,
    /* A round's two messages have buffers of their own, as far as this many bytes go
     * round: more than a core's caches hold. So a message comes from and goes to
     * memory that was last used a while ago, as in a run. */
    MOST_BUFFER_BYTES = 16 << 20
};

/* Times on the wall and by this thread's CPU, in ns. */
struct watch {
    int64_t wall, cpu;
};

static struct watch watch_now(void)
{
    const struct pp_clock clock = {.kind = PP_CLOCK_WALL};
    return (struct watch){pp_clock_wall(&clock), pp_clock_cpu()};
}

/* Two ranks that play ping-pong, as one of them sees it. */
struct pair {
    struct pp_world awake; /* the two spin: they are the only ones awake */
    int other;
    bool asks;     /* sends first, and takes the time */
    char *buffers; /* [count] each of message_bytes */
    size_t count;  /* even */
    size_t message_bytes;
};

/* How many buffers of this size: two for each round, or as many as there is room for.
 */
static size_t buffer_count(size_t message_bytes)
{
    size_t pairs = MOST_BUFFER_BYTES / message_bytes / 2;
    return 2 * (pairs < 1 ? 1 : pairs < ROUNDS ? pairs : ROUNDS);
}

/* Tells the rank that asks whether this one had its core. */
static char exchange_share(const struct pair *pair, char had)
{
    if (pair->asks)
        pp_receive_bytes(&pair->awake, &had, 1, pair->other, PP_TAG_LINK);
    else
        pp_send_bytes(&pair->awake, &had, 1, pair->other, PP_TAG_LINK);
    return had;
}

/* One round trip of so many bytes; returns ns. *had: did this rank have its core? */
static int64_t round_trip(const struct pair *pair, size_t bytes, int round, bool *had)
{
    char *out = pair->buffers + (size_t)round * 2 % pair->count * pair->message_bytes;
    char *in = out + pair->message_bytes;
    memset(out, round, bytes);
    struct watch before = watch_now();
    if (pair->asks)
        pp_send_bytes(&pair->awake, out, bytes, pair->other, PP_TAG_LINK);
    pp_receive_bytes(&pair->awake, in, bytes, pair->other, PP_TAG_LINK);
    if (!pair->asks)
        pp_send_bytes(&pair->awake, out, bytes, pair->other, PP_TAG_LINK);
    struct watch after = watch_now();
    int64_t passed = after.wall - before.wall;
    *had = (double)(after.cpu - before.cpu) >= PP_OWN_CORE * (double)passed;
    return passed;
}

/* What a message of so many bytes takes, in s; only the rank that asks knows. */
static double half_round_trip(const struct pair *pair, size_t bytes)
{
    double halves[ROUNDS], best = INFINITY;
    size_t count = 0;
    for (int i = 0; i < ROUNDS; i++) {
        bool had = true;
        exchange_share(pair, true); /* both are ready */
        double half = (double)round_trip(pair, bytes, i, &had) / 2 / 1e9;
        bool both = exchange_share(pair, had) && had;
        best = fmin(best, half);
        if (both)
            halves[count++] = half;
    }
    return count > 0 ? pp_quantile(halves, count, 0.5) : best;
}

/* What small messages and large ones take between this rank and other, in s, and how
 * much longer the latter. */
static void measure_pair(const struct pp_world *world, int other, char *buffers,
                         size_t message_bytes, double *latency, double *transfer)
{
    enum { SMALL = 8 };
    const struct pair pair = {
        .awake = {world->comm, world->rank, world->size, true},
        .other = other,
        .asks = world->rank < other,
        .buffers = buffers,
        .count = buffer_count(message_bytes),
        .message_bytes = message_bytes,
    };
    double small = half_round_trip(&pair, SMALL);
    double large = half_round_trip(&pair, message_bytes);
    if (pair.asks) {
        *latency = small;
        *transfer = fmax(large - small, 1e-9);
    }
}

int pp_link_measure(const struct pp_world *world, size_t message_bytes,
                    struct pp_link *link, struct pp_error *error)
{
    enum { MOST_PAIRS = 64 };
    int pairs = world->size - 1 < MOST_PAIRS ? world->size - 1 : MOST_PAIRS;
    double latency[MOST_PAIRS] = {0}, transfer[MOST_PAIRS] = {0};
    size_t count = buffer_count(message_bytes);
    char *buffers = pairs > 0 ? pp_touched_alloc(count * message_bytes) : NULL;
    int status = 0;
    if (pairs > 0 && !buffers)
        status = pp_fail(error, PP_ENVIRONMENT,
                         "out of memory for %zu messages of %zu bytes", count,
                         message_bytes);
    *link = (struct pp_link){0, INFINITY};
    status = pp_agree(world, status, error);
    if (status != 0 || !buffers) {
        free(buffers);
        return status;
    }
    for (int r = 0; r < pairs; r++) {
        if (world->rank == r || world->rank == r + 1)
            measure_pair(world, world->rank == r ? r + 1 : r, buffers, message_bytes,
                         &latency[r], &transfer[r]);
        pp_barrier(world);
    }
    free(buffers);
    pp_sum_doubles(world, latency, pairs);
    pp_sum_doubles(world, transfer, pairs);
    link->latency_s = pp_quantile(latency, (size_t)pairs, 0.5);
    link->bandwidth = (double)message_bytes / pp_quantile(transfer, (size_t)pairs, 0.5);
    return 0;
}
