#include "run/site.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/blas.h"
#include "run/link.h"

static enum pp_clock_kind choose_clock(const struct pp_site_config *config,
                                       const struct pp_topology *topology)
{
    switch (config->clock) {
    case PP_CHOOSE_WALL:
        return PP_CLOCK_WALL;
    case PP_CHOOSE_VIRTUAL:
        return PP_CLOCK_VIRTUAL;
    case PP_CHOOSE_AUTO:
        break;
    }
    return topology->own_core && !config->slow ? PP_CLOCK_WALL : PP_CLOCK_VIRTUAL;
}

void pp_site_join(struct pp_site *site)
{
    MPI_Comm_dup(MPI_COMM_WORLD, &site->world.comm);
    MPI_Comm_rank(site->world.comm, &site->world.rank);
    MPI_Comm_size(site->world.comm, &site->world.size);
}

/* Collective, in this order; every step may use what those before it have found. */

/* Which cores there are; binds ranks to them. From here on waits know whether to spin.
 */
static int find_cores(struct pp_site *site, const struct pp_site_config *config,
                      struct pp_error *error)
{
    int threads = config->threads > 0 ? config->threads : 1;
    if (pp_topology_init(&site->topology, &site->world, threads, error) != 0)
        return -1;
    site->world.own_core = site->topology.own_core;
    return 0;
}

static int start_blas(const struct pp_site *site, const struct pp_site_config *config,
                      struct pp_error *error)
{
    int status = config->threads > 0 ? pp_blas_init(config->threads, error) : 0;
    return pp_agree(&site->world, status, error);
}

static int start_clock(struct pp_site *site, const struct pp_site_config *config,
                       struct pp_error *error)
{
    enum pp_clock_kind kind = choose_clock(config, &site->topology);
    if (kind == PP_CLOCK_VIRTUAL && config->threads > 1)
        return pp_fail(error, PP_BAD_INPUT,
                       "the virtual clock counts the CPU time of one thread: use "
                       "'--threads' 1, or '--clock' wall");
    pp_clock_init(&site->clock, kind, &site->world);
    if (config->slow)
        site->clock.slow = config->slow[site->world.rank];
    return 0;
}

/* The link's cost: as the user says, or measured. What the user says holds on the
 * virtual clock only; on the wall clock messages take the time they take. */
static int set_link(struct pp_site *site, const struct pp_site_config *config,
                    struct pp_error *error)
{
    double latency_s = config->link_latency_s;
    double bandwidth = config->link_bandwidth;
    bool measured = site->clock.kind == PP_CLOCK_WALL;
    if (measured || isnan(latency_s) || isnan(bandwidth)) {
        struct pp_link link;
        if (pp_link_measure(&site->world, config->message_bytes, &link, error) != 0)
            return -1;
        latency_s = measured || isnan(latency_s) ? link.latency_s : latency_s;
        bandwidth = measured || isnan(bandwidth) ? link.bandwidth : bandwidth;
    }
    site->clock.link_latency = (int64_t)(latency_s * 1e9);
    site->clock.link_bandwidth = bandwidth;
    site->environment.link_latency_s = latency_s;
    site->environment.link_bandwidth = bandwidth;
    return 0;
}

/* Where ranks share cores, an op on the virtual clock waits for a free one. */
static int share_cores(struct pp_site *site, struct pp_error *error)
{
    if (site->clock.kind != PP_CLOCK_VIRTUAL || site->topology.own_core)
        return 0;
    if (pp_cores_init(&site->cores, &site->world, site->topology.cores, error) != 0)
        return -1;
    site->clock.cores = &site->cores;
    return 0;
}

/* What the report says of machine and libraries. */
static void describe(struct pp_site *site, bool blas)
{
    struct pp_run_environment *environment = &site->environment;
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    environment->clock = site->clock.kind == PP_CLOCK_WALL ? "wall" : "virtual";
    environment->oversubscribed = !site->topology.own_core;
    environment->cores = site->topology.cores;
    memcpy(environment->host, site->topology.host, sizeof environment->host);
    MPI_Get_library_version(version, &length);
    snprintf(environment->mpi, sizeof environment->mpi, "%.*s",
             (int)strcspn(version, ","), version);
    if (blas)
        pp_blas_description(environment->blas, sizeof environment->blas);
}

int pp_site_init(struct pp_site *site, const struct pp_site_config *config,
                 struct pp_error *error)
{
    if (find_cores(site, config, error) != 0 || start_blas(site, config, error) != 0 ||
        start_clock(site, config, error) != 0 || set_link(site, config, error) != 0 ||
        share_cores(site, error) != 0)
        return -1;
    describe(site, config->threads > 0);
    return 0;
}

void pp_site_release(struct pp_site *site)
{
    pp_cores_release(&site->cores);
    MPI_Comm_free(&site->world.comm);
}
