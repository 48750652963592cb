/* The model's tensors, wherever their ranks are: who owns which, and everything that
 * goes over all of them in canonical order (model/config.h), so that its result does
 * not depend on the layout. All functions are collective. */
#ifndef PP_RUN_TENSORS_H
#define PP_RUN_TENSORS_H

#include "run/rank.h"

/* A model spread over ranks. */
struct pp_tensors {
    const struct pp_rank *rank; /* borrowed */
    const int *layers_of;       /* [stages], borrowed */
    int count;                  /* pp_model_tensor_count */
    int copy;                   /* the weight copy that is looked at; 0 unless asked */
};

/* The index-th tensor of the weight copy that is looked at, NULL if another rank owns
 * it. A tied head's weight counts as the first stage's. */
struct pp_parameter *pp_tensors_own(const struct pp_tensors *tensors, int index);

/* Starting values: from the file where path is not NULL, else from the seed. The
 * error of the lowest failing rank reaches all. */
int pp_tensors_load(const struct pp_tensors *tensors, const char *path, uint64_t seed,
                    struct pp_error *error);

/* Sums the embedding's and the head's part of a tied wte's gradient, in both places of
 * each weight copy, whose gradients have been summed over the copies before. other is
 * scratch for a whole wte, needed on a rank that has one of the two alone. */
void pp_tensors_tie(const struct pp_tensors *tensors, real *other);

/* Does this rank need that scratch? */
bool pp_tensors_exchange(const struct pp_tensors *tensors);

/* Global norm of the gradients: squares per tensor, then summed in canonical order.
 * squares [count] is scratch. */
double pp_tensors_norm(const struct pp_tensors *tensors, double *squares);

/* Collective. Are all values finite? */
bool pp_tensors_finite(const struct pp_tensors *tensors);

/* A digest of all values, as 16 hex digits. PP_ENVIRONMENT when out of memory. */
int pp_tensors_digest(const struct pp_tensors *tensors, char text[32],
                      struct pp_error *error);

/* Brings the tensors (gradients or values) to rank 0 one by one, in canonical order;
 * visit is called there and may fail. */
int pp_tensors_gather(const struct pp_tensors *tensors, bool gradients,
                      int (*visit)(void *data, int index, const real *values,
                                   struct pp_error *error),
                      void *data, struct pp_error *error);

#endif
