#include "run/topology.h"

#include <hwloc.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"

/* The ranks of this host and what they may run on. */
struct host {
    MPI_Comm comm;
    int rank, size;
    hwloc_topology_t topology;
    hwloc_bitmap_t mine;    /* this rank's binding */
    hwloc_bitmap_t all;     /* all local ranks' bindings together */
    hwloc_bitmap_t work;    /* for a moment */
    bool bound_by_launcher; /* the ranks' bindings differ already */
};

/* Gathers the bindings as text, which has room for every other one of 10 000 CPUs. */
static void gather_bindings(struct host *host)
{
    enum { TEXT = 1 << 15 };
    char text[TEXT] = "";
    hwloc_bitmap_list_snprintf(text, sizeof text, host->mine);
    hwloc_bitmap_t other = host->work;
    for (int r = 0; r < host->size; r++) {
        char theirs[TEXT];
        memcpy(theirs, text, TEXT);
        MPI_Bcast(theirs, TEXT, MPI_CHAR, r, host->comm);
        hwloc_bitmap_list_sscanf(other, theirs);
        hwloc_bitmap_or(host->all, host->all, other);
        if (!hwloc_bitmap_isequal(other, host->mine))
            host->bound_by_launcher = true;
    }
    int differ = host->bound_by_launcher;
    MPI_Allreduce(MPI_IN_PLACE, &differ, 1, MPI_INT, MPI_MAX, host->comm);
    host->bound_by_launcher = differ;
}

/* The n-th core (not hardware thread: two of one core share its units) of which the set
 * has some; NULL if there are not so many. */
static hwloc_obj_t nth_core(hwloc_topology_t topology, hwloc_const_bitmap_t set, int n)
{
    hwloc_obj_t core = NULL;
    while ((core = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_CORE, core))) {
        if (hwloc_bitmap_intersects(core->cpuset, set) && n-- == 0)
            return core;
    }
    return NULL;
}

/* How many there are; a container may hide cores, then processing units stand for them.
 */
static int count_cores(hwloc_topology_t topology, hwloc_const_bitmap_t set)
{
    int cores = 0;
    while (nth_core(topology, set, cores))
        cores++;
    return cores > 0 ? cores : hwloc_bitmap_weight(set);
}

/* Binds this rank to its share of the cores: threads of them from rank * threads on. */
static void bind(struct host *host, int threads)
{
    hwloc_bitmap_t share = host->work;
    hwloc_bitmap_zero(share);
    for (int t = 0; t < threads; t++) {
        hwloc_obj_t core =
            nth_core(host->topology, host->all, host->rank * threads + t);
        if (core)
            hwloc_bitmap_or(share, share, core->cpuset);
    }
    hwloc_bitmap_and(share, share, host->all);
    if (!hwloc_bitmap_iszero(share) &&
        hwloc_set_cpubind(host->topology, share, HWLOC_CPUBIND_PROCESS) == 0)
        hwloc_bitmap_copy(host->mine, share);
}

static int init_host(struct host *host, struct pp_error *error)
{
    host->mine = hwloc_bitmap_alloc();
    host->all = hwloc_bitmap_alloc();
    host->work = hwloc_bitmap_alloc();
    if (!host->mine || !host->all || !host->work)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the cores");
    if (hwloc_topology_init(&host->topology) != 0)
        return pp_fail(error, PP_ENVIRONMENT, "hwloc cannot be initialised");
    if (hwloc_topology_load(host->topology) != 0)
        return pp_fail(error, PP_ENVIRONMENT, "hwloc cannot read the topology");
    return 0;
}

static void release_host(struct host *host)
{
    if (host->topology)
        hwloc_topology_destroy(host->topology);
    hwloc_bitmap_free(host->mine);
    hwloc_bitmap_free(host->all);
    hwloc_bitmap_free(host->work);
    MPI_Comm_free(&host->comm);
}

static void find_cpu(hwloc_topology_t found, struct pp_topology *topology)
{
    hwloc_obj_t package = hwloc_get_obj_by_type(found, HWLOC_OBJ_PACKAGE, 0);
    const char *name = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
    pp_assign(topology->cpu, sizeof topology->cpu, "%s", name ? name : "");
}

/* Each core has one of the last level, so the largest object is it. */
static uint64_t find_cache(hwloc_topology_t found)
{
    uint64_t most = 0;
    for (hwloc_obj_type_t type = HWLOC_OBJ_L1CACHE; type <= HWLOC_OBJ_L5CACHE; type++) {
        hwloc_obj_t cache = NULL;
        while ((cache = hwloc_get_next_obj_by_type(found, type, cache)))
            most = cache->attr->cache.size > most ? cache->attr->cache.size : most;
    }
    return most;
}

int pp_topology_init(struct pp_topology *topology, const struct pp_world *world,
                     int threads, struct pp_error *error)
{
    struct host host = {0};
    *topology = (struct pp_topology){0};
    MPI_Comm_split_type(world->comm, MPI_COMM_TYPE_SHARED, world->rank, MPI_INFO_NULL,
                        &host.comm);
    MPI_Comm_rank(host.comm, &host.rank);
    MPI_Comm_size(host.comm, &host.size);
    if (pp_agree(world, init_host(&host, error), error) != 0) {
        release_host(&host);
        return -1;
    }

    if (hwloc_get_cpubind(host.topology, host.mine, HWLOC_CPUBIND_PROCESS) != 0)
        hwloc_bitmap_copy(host.mine, hwloc_topology_get_allowed_cpuset(host.topology));
    gather_bindings(&host);
    topology->cores = count_cores(host.topology, host.all);
    double crowded = host.size * threads > topology->cores;
    pp_max_doubles(world, &crowded, 1);
    topology->own_core = crowded == 0;
    if (topology->own_core && !host.bound_by_launcher)
        bind(&host, threads);
    hwloc_bitmap_list_snprintf(topology->cpuset, sizeof topology->cpuset, host.mine);
    gethostname(topology->host, sizeof topology->host - 1);
    find_cpu(host.topology, topology);
    topology->cache_bytes = find_cache(host.topology);

    release_host(&host);
    return 0;
}

int pp_topology_cores(void)
{
    hwloc_topology_t topology;
    hwloc_bitmap_t mine = hwloc_bitmap_alloc();
    int cores = 0;
    if (mine && hwloc_topology_init(&topology) == 0) {
        if (hwloc_topology_load(topology) == 0 &&
            hwloc_get_cpubind(topology, mine, HWLOC_CPUBIND_PROCESS) == 0)
            cores = count_cores(topology, mine);
        hwloc_topology_destroy(topology);
    }
    hwloc_bitmap_free(mine);
    return cores;
}
