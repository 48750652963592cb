/* Loaded before ppsim, makes each rank believe that it has a host of its own, with a
 * monotonic clock that shows another time than rank 0's (5 s a rank) and runs faster
 * (TWO_HOSTS_PPM a rank, in millionths). */
#include <mpi.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

/* The first to ask is the topology, which shares out the cores that are really there;
 * the others ask whose clock is whose. */
int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made)
{
    static int calls;
    if (calls++ == 0)
        return PMPI_Comm_split_type(comm, type, key, info, made);
    return PMPI_Comm_dup(MPI_COMM_SELF, made);
}

/* Where TWO_HOSTS_LATE is set, rank 1 is slow to ask for the time, but for the first
 * few times: the best answer is then an old one. */
int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag,
              MPI_Comm comm, MPI_Request *request)
{
    enum { TAG = 1, QUICK = 10, ROUNDS = 100 }; /* PP_TAG_LINK */
    static int asked;
    if (tag == TAG && to == 0 && number("TWO_HOSTS_LATE") && asked++ >= QUICK &&
        asked <= ROUNDS)
        usleep(5000);
    return PMPI_Isend(data, count, type, to, tag, comm, request);
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    static long rank = -1, ppm, origin;
    long result = syscall(SYS_clock_gettime, id, time);
    if (id != CLOCK_MONOTONIC)
        return (int)result;
    long ns = time->tv_sec * 1000000000 + time->tv_nsec;
    if (rank < 0) {
        rank = number("OMPI_COMM_WORLD_RANK");
        ppm = number("TWO_HOSTS_PPM");
        origin = ns;
    }
    ns += rank * (5000000000 + (ns - origin) / 1000000 * ppm);
    time->tv_sec = ns / 1000000000;
    time->tv_nsec = ns % 1000000000;
    return (int)result;
}
