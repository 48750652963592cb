#include "run/world.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "run/status.h"

void pp_back_off(const struct pp_world *world, struct pp_backoff *backoff)
{
    /* Ops take milliseconds, so sleeps of 20 to 200 us cost little and leave the core
     * to the ranks that compute. Yielding instead would keep every waiting rank in the
     * run queue, and its polling in the caches. */
    enum { FIRST_NS = 20000, LAST_NS = 200000, SPINS = 1000 };
    if (world->own_core) {
        /* Unless a stranger wants the core: then nobody is kept waiting by a wait. */
        if (backoff->looks < SPINS)
            backoff->looks++;
        else
            sched_yield();
        return;
    }
    long ns = (long)FIRST_NS * (1 + backoff->looks / 4);
    backoff->looks++;
    nanosleep(&(struct timespec){.tv_nsec = ns < LAST_NS ? ns : LAST_NS}, NULL);
}

static void wait_for(const struct pp_world *world, MPI_Request *request)
{
    struct pp_backoff backoff = {0};
    int done = 0;
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    while (!done) {
        pp_back_off(world, &backoff);
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
    }
}

static void wait_for_all(const struct pp_world *world, MPI_Request *request)
{
    enum pp_place place = pp_note_wait_all();
    wait_for(world, request);
    pp_note_back(place);
}

/* A rank alone in its world (--ranks 1, the sequential run of --verify) has nobody to
 * wait for, and asks MPI for nothing: MPI says that a collective of one completes, but
 * not every implementation does (SimGrid 3.32's MPI_Ibcast never does). */
static bool alone(const struct pp_world *world)
{
    return world->size == 1;
}

void pp_barrier(const struct pp_world *world)
{
    MPI_Request request;
    if (alone(world))
        return;
    MPI_Ibarrier(world->comm, &request);
    wait_for_all(world, &request);
}

static void reduce(const struct pp_world *world, double *values, int count, MPI_Op op)
{
    MPI_Request request;
    if (alone(world))
        return;
    MPI_Iallreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, op, world->comm, &request);
    wait_for_all(world, &request);
}

void pp_sum_doubles(const struct pp_world *world, double *values, int count)
{
    reduce(world, values, count, MPI_SUM);
}

void pp_max_doubles(const struct pp_world *world, double *values, int count)
{
    reduce(world, values, count, MPI_MAX);
}

void pp_broadcast(const struct pp_world *world, void *data, int bytes, int root)
{
    MPI_Request request;
    if (alone(world))
        return;
    MPI_Ibcast(data, bytes, MPI_BYTE, root, world->comm, &request);
    wait_for_all(world, &request);
}

enum { PIECE = 1 << 30 };

void pp_send_bytes(const struct pp_world *world, const void *data, size_t bytes,
                   int rank, int tag)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        MPI_Request request;
        int count = (int)(bytes - at < PIECE ? bytes - at : PIECE);
        MPI_Isend((const char *)data + at, count, MPI_BYTE, rank, tag, world->comm,
                  &request);
        wait_for(world, &request);
    }
}

void pp_receive_bytes(const struct pp_world *world, void *data, size_t bytes, int rank,
                      int tag)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        MPI_Request request;
        int count = (int)(bytes - at < PIECE ? bytes - at : PIECE);
        MPI_Irecv((char *)data + at, count, MPI_BYTE, rank, tag, world->comm, &request);
        wait_for(world, &request);
    }
}

int pp_agree(const struct pp_world *world, int status, struct pp_error *error)
{
    double failing = status == 0 ? -world->size : -world->rank;
    pp_max_doubles(world, &failing, 1);
    int rank = (int)-failing;
    if (rank == world->size)
        return 0;
    pp_broadcast(world, error, sizeof *error, rank);
    if (rank > 0) {
        char text[sizeof error->text], *rest = text;
        memcpy(text, error->text, sizeof text);
        pp_fail(error, error->status, "rank %d: %s", rank, strsep(&rest, "\n"));
        while (rest)
            pp_fail_also(error, error->status, "%s", strsep(&rest, "\n"));
    }
    return -1;
}
