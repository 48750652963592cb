/* Does a run fit into memory? Asked before anything is allocated. */
#ifndef PP_RUN_FIT_H
#define PP_RUN_FIT_H

#include "run/config.h"

/* For ranks that are all to run on this machine: PP_ENVIRONMENT says what one of them
 * and all together would need, what there is, and what to lower. */
int pp_run_fits(const struct pp_run_config *config, struct pp_error *error);

/* The same, collectively, in a world that others have started, wherever its ranks are:
 * of each machine its own ranks. The error reaches all ranks. */
int pp_world_fits(const struct pp_run_config *config, struct pp_error *error);

struct pp_world;

/* Collective, for ranks of any kind: each is to allocate so many bytes. PP_ENVIRONMENT,
 * on every rank, says what the ranks of a machine need, what there is there, and
 * advice. */
int pp_world_has(const struct pp_world *world, double bytes, const char *advice,
                 struct pp_error *error);

#endif
