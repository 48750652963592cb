#include "run/cores.h"

#include <errno.h>
#include <semaphore.h>
#include <string.h>

int pp_cores_init(struct pp_cores *cores, const struct pp_world *world, int count,
                  struct pp_error *error)
{
    MPI_Comm host;
    MPI_Aint bytes;
    int rank, unit, status = 0;
    *cores = (struct pp_cores){0};
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL,
                        &host);
    MPI_Comm_rank(host, &rank);
    MPI_Win_allocate_shared(rank == 0 ? (MPI_Aint)sizeof(sem_t) : 0, 1, MPI_INFO_NULL,
                            host, &cores->free, &cores->window);
    MPI_Win_shared_query(cores->window, 0, &bytes, &unit, &cores->free);
    if (rank == 0 && sem_init(cores->free, 1, (unsigned)count) != 0)
        status =
            pp_fail(error, PP_ENVIRONMENT, "cannot share cores: %s", strerror(errno));
    MPI_Comm_free(&host);
    return pp_agree(world, status, error);
}

void pp_cores_release(struct pp_cores *cores)
{
    if (cores->free)
        MPI_Win_free(&cores->window);
    *cores = (struct pp_cores){0};
}

void pp_cores_take(struct pp_cores *cores)
{
    while (sem_wait(cores->free) != 0 && errno == EINTR)
        ;
}

void pp_cores_give(struct pp_cores *cores)
{
    sem_post(cores->free);
}
