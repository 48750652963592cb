#include "run/clock.h"

#include <math.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t pp_clock_cpu(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t pp_clock_wall(const struct pp_clock *clock)
{
    return read_clock(CLOCK_MONOTONIC) + clock->offset;
}

/* Offset of rank 0's clock to this rank's, by ping-pong: of many round trips the
 * smallest says most, its middle being at most half of it off (Cristian, Distributed
 * Computing 3, 1989). Rank 0 answers the ranks one after the other. */
static void ping_pong(const struct pp_world *world, int other, int64_t *offset,
                      int64_t *round_trip)
{
    enum { ROUNDS = 100 };
    *round_trip = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t theirs = 0;
        int64_t before = read_clock(CLOCK_MONOTONIC);
        if (world->rank == 0) {
            pp_receive_bytes(world, &theirs, sizeof theirs, other, PP_TAG_LINK);
            theirs = read_clock(CLOCK_MONOTONIC);
            pp_send_bytes(world, &theirs, sizeof theirs, other, PP_TAG_LINK);
            continue;
        }
        pp_send_bytes(world, &theirs, sizeof theirs, 0, PP_TAG_LINK);
        pp_receive_bytes(world, &theirs, sizeof theirs, 0, PP_TAG_LINK);
        int64_t after = read_clock(CLOCK_MONOTONIC);
        if (after - before < *round_trip) {
            *round_trip = after - before;
            *offset = theirs - (before + (after - before) / 2);
        }
    }
}

/* Offset to rank 0's host and the error it may have; both 0 on rank 0's own host,
 * where the monotonic clock is the same one. */
static void align(const struct pp_world *world, int64_t *offset, int64_t *error)
{
    MPI_Comm host;
    int with_rank_0 = world->rank == 0;
    *offset = *error = 0;
    if (world->size == 1)
        return;
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL,
                        &host);
    MPI_Bcast(&with_rank_0, 1, MPI_INT, 0, host); /* rank 0 is first on its host */
    MPI_Comm_free(&host);

    for (int r = 1; r < world->size; r++) {
        double remote = world->rank == r ? !with_rank_0 : 0;
        pp_max_doubles(world, &remote, 1);
        if (remote == 0 || (world->rank != 0 && world->rank != r))
            continue;
        int64_t round_trip = 0;
        ping_pong(world, world->rank == 0 ? r : 0, offset, &round_trip);
        if (world->rank == r)
            *error = round_trip / 2;
    }
}

void pp_clock_init(struct pp_clock *clock, enum pp_clock_kind kind,
                   const struct pp_world *world)
{
    *clock = (struct pp_clock){.kind = kind, .slow = 1};
    align(world, &clock->offset, &clock->error);
    clock->aligned_at = read_clock(CLOCK_MONOTONIC);
    int64_t origin = clock->aligned_at;
    pp_broadcast(world, &origin, sizeof origin, 0);
    clock->offset -= origin;
}

void pp_clock_realign(struct pp_clock *clock, const struct pp_world *world)
{
    int64_t offset, error;
    int64_t origin = clock->aligned_at;
    pp_broadcast(world, &origin, sizeof origin, 0);
    align(world, &offset, &error);
    int64_t now = read_clock(CLOCK_MONOTONIC);
    int64_t moved = offset - origin - clock->offset;
    clock->drift = (double)moved / (double)(now - clock->aligned_at);
    if (error > clock->error)
        clock->error = error;
}

int64_t pp_clock_corrected(const struct pp_clock *clock, int64_t time)
{
    int64_t since = time - (clock->aligned_at + clock->offset);
    return time + (int64_t)(clock->drift * (double)since);
}

void pp_clock_restart(struct pp_clock *clock)
{
    clock->now = 0;
}

int64_t pp_clock_now(const struct pp_clock *clock)
{
    return clock->kind == PP_CLOCK_WALL ? pp_clock_wall(clock) : clock->now;
}

int64_t pp_clock_arrival(const struct pp_clock *clock, int64_t sent, size_t bytes)
{
    if (clock->kind == PP_CLOCK_WALL)
        return pp_clock_wall(clock);
    return sent + clock->link_latency +
           (int64_t)((double)bytes * 1e9 / clock->link_bandwidth);
}

int64_t pp_clock_begin(struct pp_clock *clock, int64_t arrived)
{
    if (clock->kind == PP_CLOCK_WALL)
        return pp_clock_wall(clock);
    if (clock->now < arrived)
        clock->now = arrived;
    if (clock->cores)
        pp_cores_take(clock->cores);
    clock->cpu = pp_clock_cpu();
    return clock->now;
}

int64_t pp_clock_end(struct pp_clock *clock, int64_t start)
{
    if (clock->kind == PP_CLOCK_WALL)
        return pp_clock_wall(clock);
    clock->now = start + llround(clock->slow * (double)(pp_clock_cpu() - clock->cpu));
    if (clock->cores)
        pp_cores_give(clock->cores);
    return clock->now;
}
