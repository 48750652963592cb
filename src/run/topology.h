/* Which cores the ranks may use, and binding ranks to cores of their own. */
#ifndef PP_RUN_TOPOLOGY_H
#define PP_RUN_TOPOLOGY_H

#include <stdint.h>

#include "run/world.h"

struct pp_topology {
    int cores;        /* that this host's ranks may use, together: hwloc's allowed
                       * cores within the ranks' bindings, not the machine's */
    bool own_core;    /* on every host each rank can have its threads' cores alone */
    char cpuset[256]; /* this rank's, as hwloc lists it: "0-1" */
    char host[64];
    char cpu[128];        /* its model, as hwloc says it; empty where that is unknown */
    uint64_t cache_bytes; /* of the largest cache that a core reads through; 0: unknown
                           */
};

/* Collective. Finds the above; where own_core, and the launcher has not bound the
 * ranks already, binds each to threads cores of its own. PP_ENVIRONMENT if hwloc
 * cannot read the topology. */
int pp_topology_init(struct pp_topology *topology, const struct pp_world *world,
                     int threads, struct pp_error *error);

/* How many cores this process may use; 0 where that is unknown. Alone, not collective.
 */
int pp_topology_cores(void);

#endif
