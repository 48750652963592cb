#include "run/link.h"

#include <math.h>
#include <stdlib.h>

#include "run/clock.h"
#include "timeline/quantile.h"

enum { ROUNDS = 30 };

static double monotonic_s(void)
{
    const struct pp_clock clock = {.kind = PP_CLOCK_WALL};
    return (double)pp_clock_wall(&clock) / 1e9;
}

/* Half the smallest round trip of so many bytes between this rank and other, in s. The
 * two ranks spin: they are the only ones awake. */
static double half_round_trip(const struct pp_world *world, int other, char *buffer,
                              size_t bytes)
{
    const struct pp_world awake = {world->comm, world->rank, world->size, true};
    double best = INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
        double start = monotonic_s();
        if (world->rank < other) {
            pp_send_bytes(&awake, buffer, bytes, other, PP_TAG_LINK);
            pp_receive_bytes(&awake, buffer, bytes, other, PP_TAG_LINK);
        } else {
            pp_receive_bytes(&awake, buffer, bytes, other, PP_TAG_LINK);
            pp_send_bytes(&awake, buffer, bytes, other, PP_TAG_LINK);
        }
        double half = (monotonic_s() - start) / 2;
        if (half < best)
            best = half;
    }
    return best;
}

int pp_link_measure(const struct pp_world *world, size_t message_bytes,
                    struct pp_link *link, struct pp_error *error)
{
    enum { MOST_PAIRS = 64, SMALL = 8 };
    int pairs = world->size - 1 < MOST_PAIRS ? world->size - 1 : MOST_PAIRS;
    double latency[MOST_PAIRS] = {0}, transfer[MOST_PAIRS] = {0};
    char *buffer = calloc(1, message_bytes > SMALL ? message_bytes : SMALL);
    int status =
        buffer ? 0
               : pp_fail(error, PP_ENVIRONMENT,
                         "out of memory for a message of %zu bytes", message_bytes);
    *link = (struct pp_link){0, INFINITY};
    status = pp_agree(world, status, error);
    if (status != 0 || pairs == 0) {
        free(buffer);
        return status;
    }
    for (int r = 0; r < pairs; r++) {
        if (world->rank == r || world->rank == r + 1) {
            int other = world->rank == r ? r + 1 : r;
            double small = half_round_trip(world, other, buffer, SMALL);
            double large = half_round_trip(world, other, buffer, message_bytes);
            if (world->rank == r) {
                latency[r] = small;
                transfer[r] = fmax(large - small, 1e-9);
            }
        }
        pp_barrier(world);
    }
    free(buffer);
    pp_sum_doubles(world, latency, pairs);
    pp_sum_doubles(world, transfer, pairs);
    link->latency_s = pp_quantile(latency, (size_t)pairs, 0.5);
    link->bandwidth = (double)message_bytes / pp_quantile(transfer, (size_t)pairs, 0.5);
    return 0;
}
