/* The ranks of one pipeline and how they wait for each other.
 *
 * While a step runs only non-blocking MPI calls are made; waiting is one loop, here,
 * that spins where every rank has a core of its own and sleeps where they share cores,
 * so that those who wait do not slow those who compute.
 *
 * What is asked of MPI is what it promises: that a loop of MPI_Test ends once the other
 * side has made its call (MPI 3.1, 3.7.4 and 5.12), not that anything moves while a
 * rank is not inside MPI. So a rank that computes, sleeps, or waits for a core
 * (cores.h) may delay the others, but none can wait for ever. */
#ifndef PP_RUN_WORLD_H
#define PP_RUN_WORLD_H

#include <mpi.h>
#include <stdbool.h>

#include "base/error.h"

struct pp_world {
    MPI_Comm comm; /* of the pipeline: its rank is the pipeline rank */
    int rank, size;
    bool own_core; /* this and every other rank has a core of its own */
};

/* How long a loop has waited so far; zero-initialise, then call pp_back_off after each
 * unsuccessful look. */
struct pp_backoff {
    int looks;
};
void pp_back_off(const struct pp_world *world, struct pp_backoff *backoff);

/* Collective, as are the next three. */
void pp_barrier(const struct pp_world *world);
/* In place, over all ranks. */
void pp_sum_doubles(const struct pp_world *world, double *values, int count);
void pp_max_doubles(const struct pp_world *world, double *values, int count);
void pp_broadcast(const struct pp_world *world, void *data, int bytes, int root);

/* Messages of any size between two ranks, in pieces below MPI's int counts. */
void pp_send_bytes(const struct pp_world *world, const void *data, size_t bytes,
                   int rank, int tag);
void pp_receive_bytes(const struct pp_world *world, void *data, size_t bytes, int rank,
                      int tag);

/* Collective: returns 0 only if status is 0 on every rank. Otherwise every rank gets
 * the error of the lowest failing one, which is named unless it is rank 0. */
int pp_agree(const struct pp_world *world, int status, struct pp_error *error);

/* Message tags below those of the channel, which start at PP_TAG_CHANNEL. */
enum {
    PP_TAG_LINK = 1,
    PP_TAG_TIE,
    PP_TAG_TENSOR,
    PP_TAG_SPANS,
    PP_TAG_RING,
    PP_TAG_CHANNEL
};

#endif
