/* Taking turns on the cores of a host. Where ranks share cores, the virtual clock
 * promises each op a core of its own: an op waits until one is free, and then has it
 * until it ends. Otherwise ranks that compute at the same time would be switched in and
 * out of each other's caches in the middle of ops, and every op would look longer. */
#ifndef PP_RUN_CORES_H
#define PP_RUN_CORES_H

#include "run/world.h"

struct pp_cores {
    MPI_Win window; /* holds the semaphore, shared by the ranks of a host */
    void *free;     /* sem_t: counts the cores on which nobody computes */
};

/* Collective. cores is the number of this host's. PP_ENVIRONMENT if there can
 * be no semaphore; without shared memory MPI ends the program. */
int pp_cores_init(struct pp_cores *cores, const struct pp_world *world, int count,
                  struct pp_error *error);
/* Collective. Zeroed memory is released already. */
void pp_cores_release(struct pp_cores *cores);

/* Waits for a core, asleep; gives it back. Between the two a rank only computes: if it
 * waited for another rank, that one might be waiting for the core. */
void pp_cores_take(struct pp_cores *cores);
void pp_cores_give(struct pp_cores *cores);

#endif
