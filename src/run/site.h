/* Where a rank works: its place in the world, its cores, its clock, its links. What
 * training and generation alike set up before they compute. */
#ifndef PP_RUN_SITE_H
#define PP_RUN_SITE_H

#include "run/clock.h"
#include "run/config.h"
#include "run/environment.h"
#include "run/topology.h"

struct pp_site {
    struct pp_world world; /* on a communicator of its own: its tags meet nobody's */
    struct pp_topology topology;
    struct pp_clock clock;
    struct pp_cores cores;
    struct pp_run_environment environment; /* of this rank's host */
};

/* What is asked of it. */
struct pp_site_config {
    enum pp_clock_choice clock;
    double link_latency_s, link_bandwidth; /* NaN: measured */
    const double *slow; /* [ranks] an op of the rank counts so many times; NULL: once */
    int threads;        /* of BLAS; 0: a rank computes without it */
    size_t message_bytes; /* of a message between two stages */
};

/* Joins the world: first, alone. */
void pp_site_join(struct pp_site *site);

/* Collective, after pp_site_join: finds the cores and binds ranks to them, starts the
 * clock, measures the link. PP_BAD_INPUT for several threads on the virtual clock. */
int pp_site_init(struct pp_site *site, const struct pp_site_config *config,
                 struct pp_error *error);

/* Collective. Whatever was set up. */
void pp_site_release(struct pp_site *site);

#endif
