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

/* This host's clock and that of rank 0's host, in ns: how far that one was ahead when
 * this one showed `at`, give or take the error. */
struct alignment {
    int64_t at, offset, error;
};

/* Offset of rank 0's clock to this rank's, by ping-pong: of many round trips the
 * smallest says most, its middle being at most half of it off (Cristian, Distributed
 * Computing 3, 1989). Rank 0 answers the ranks one after the other. */
static void ping_pong(const struct pp_world *world, int other,
                      struct alignment *alignment)
{
    enum { ROUNDS = 100 };
    int64_t round_trip = INT64_MAX;
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
        if (after - before < round_trip) {
            round_trip = after - before;
            alignment->at = before + round_trip / 2;
            alignment->offset = theirs - alignment->at;
            alignment->error = round_trip / 2;
        }
    }
}

/* On rank 0's own host, where the monotonic clock is the same one, offset and error are
 * 0. */
static struct alignment align(const struct pp_world *world)
{
    struct alignment alignment = {.at = read_clock(CLOCK_MONOTONIC)};
    MPI_Comm host;
    int with_rank_0 = world->rank == 0;
    if (world->size == 1)
        return alignment;
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL,
                        &host);
    MPI_Bcast(&with_rank_0, 1, MPI_INT, 0, host); /* rank 0 is first on its host */
    MPI_Comm_free(&host);

    for (int r = 1; r < world->size; r++) {
        double remote = world->rank == r ? !with_rank_0 : 0;
        pp_max_doubles(world, &remote, 1);
        if (remote != 0 && (world->rank == 0 || world->rank == r))
            ping_pong(world, world->rank == 0 ? r : 0, &alignment);
    }
    return alignment;
}

void pp_clock_init(struct pp_clock *clock, enum pp_clock_kind kind,
                   const struct pp_world *world)
{
    struct alignment first = align(world);
    int64_t origin = first.at;
    pp_broadcast(world, &origin, sizeof origin, 0);
    *clock = (struct pp_clock){.kind = kind,
                               .slow = 1,
                               .offset = first.offset - origin,
                               .error = first.error,
                               .aligned_at = first.at};
}

void pp_clock_realign(struct pp_clock *clock, const struct pp_world *world)
{
    int64_t origin = clock->aligned_at;
    pp_broadcast(world, &origin, sizeof origin, 0);
    struct alignment last = align(world);
    int64_t moved = last.offset - origin - clock->offset;
    clock->drift = (double)moved / (double)(last.at - clock->aligned_at);
    if (last.error > clock->error)
        clock->error = last.error;
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
