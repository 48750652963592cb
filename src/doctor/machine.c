/* What the machine, and the limits of this process, have room for. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/available.h"
#include "base/words.h"
#include "doctor/check.h"
#include "report/draw/gnuplot.h"
#include "run/topology.h"

enum { RANKS = 4 }; /* of a run that says nothing else */
static const double mib = 1 << 20;

void pp_check_cores(struct pp_patient *patient, struct pp_finding *finding)
{
    int cores = pp_topology_cores();
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    double quota = pp_available_cpus("");
    cpu_set_t allowed;
    char text[200];
    (void)patient;
    if (cores == 0) {
        pp_find(finding, PP_WRONG, "hwloc finds no core that this process may use");
        pp_advise(finding, "see what 'taskset -cp $$' and 'lstopo-no-graphics' print");
        return;
    }
    pp_assign(text, sizeof text, "%d core%s", cores, cores == 1 ? "" : "s");
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 &&
        CPU_COUNT(&allowed) < online)
        pp_append(text, sizeof text, ", for this process has %d of %ld CPUs",
                  CPU_COUNT(&allowed), online);
    if (quota >= cores) {
        pp_find(finding, PP_FINE, "%s%s", text,
                cores < RANKS
                    ? "; more ranks than that share them, and the virtual clock "
                      "measures what they would do on a core each"
                    : "");
        return;
    }
    pp_find(finding, PP_DOUBTFUL, "%s, but a quota of %.3g CPUs", text, quota);
    pp_advise(finding,
              "where ranks use more, the kernel stops them in the middle of ops: "
              "raise the quota (docker run --cpus), or use '--clock virtual'");
}

void pp_check_memory(struct pp_patient *patient, struct pp_finding *finding)
{
    /* The ranks of a default run, and something to grow into. */
    enum { WRONG_MIB = 256, DOUBTFUL_MIB = 1024 };
    struct pp_available available = pp_available("");
    const char *limit;
    double bytes = pp_available_least(&available, &limit);
    (void)patient;
    if (isinf(bytes)) {
        pp_find(finding, PP_DOUBTFUL, "it is unknown how much can be had");
        pp_advise(finding, "mount /proc");
        return;
    }
    pp_find(finding,
            bytes < WRONG_MIB * mib      ? PP_WRONG
            : bytes < DOUBTFUL_MIB * mib ? PP_DOUBTFUL
                                         : PP_FINE,
            "%.0f MiB can be had (%s)", bytes / mib, limit);
    if (finding->health != PP_FINE)
        pp_advise(finding,
                  "a default run takes about %d MiB: end other programs, or "
                  "raise the container's limit (docker run --memory)",
                  WRONG_MIB);
}

/* Free bytes for this user where the path leads; NaN where that is unknown. */
static double free_bytes(const char *path)
{
    struct statvfs system;
    return statvfs(path, &system) == 0
               ? (double)system.f_bavail * (double)system.f_frsize
               : (double)NAN;
}

/* Open MPI maps a segment for each rank, of which it fills what it needs; a rank that
 * then finds no room is killed by SIGBUS. */
void pp_check_shared_memory(struct pp_patient *patient, struct pp_finding *finding)
{
    enum { SEGMENT_MIB = 4 };
    static const char path[] = "/dev/shm";
    double bytes = free_bytes(path);
    int cores = pp_topology_cores();
    (void)patient;
    if (isnan(bytes) || access(path, W_OK) != 0) {
        pp_find(finding, PP_DOUBTFUL, "no '%s' to write to: %s", path, strerror(errno));
        pp_advise(finding, "mount a tmpfs there: Open MPI uses the temporary folder "
                           "instead, which may be a slow disk");
        return;
    }
    double ranks = floor(bytes / (SEGMENT_MIB * mib));
    pp_find(finding,
            ranks < RANKS   ? PP_WRONG
            : ranks < cores ? PP_DOUBTFUL
                            : PP_FINE,
            "%.0f MiB free in '%s', for the %d MiB segments of %.0f ranks", bytes / mib,
            path, SEGMENT_MIB, ranks);
    if (finding->health != PP_FINE)
        pp_advise(finding,
                  "where more ranks fill it, they are killed (SIGBUS): free some, "
                  "or make it larger (docker run --shm-size=1g)");
}

void pp_check_temporary(struct pp_patient *patient, struct pp_finding *finding)
{
    enum { NEEDED_MIB = 64 };
    if (!patient->folder.path) {
        pp_find(finding, PP_WRONG, "%s", patient->no_folder.text);
        pp_advise(finding, "set TMPDIR to a folder that can be written");
        return;
    }
    double bytes = free_bytes(patient->folder.path);
    int length = (int)(strrchr(patient->folder.path, '/') - patient->folder.path);
    bool full = bytes < NEEDED_MIB * mib;
    pp_find(finding, full ? PP_WRONG : PP_FINE, "%.0f MiB free in '%.*s'", bytes / mib,
            length, patient->folder.path);
    if (full)
        pp_advise(finding,
                  "Open MPI needs up to %d MiB there: free some, or set TMPDIR "
                  "to another folder",
                  NEEDED_MIB);
}

/* mpiexec has about 24 descriptors open, and 3 for each rank. */
void pp_check_files(struct pp_patient *patient, struct pp_finding *finding)
{
    enum { OWN = 40, A_RANK = 3 };
    struct rlimit limit;
    int cores = pp_topology_cores();
    (void)patient;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        pp_find(finding, PP_FINE, "no limit");
        return;
    }
    double ranks = fmax(0, floor(((double)limit.rlim_cur - OWN) / A_RANK));
    pp_find(finding,
            ranks < RANKS   ? PP_WRONG
            : ranks < cores ? PP_DOUBTFUL
                            : PP_FINE,
            "a process may have %llu open, enough for %.0f ranks",
            (unsigned long long)limit.rlim_cur, ranks);
    if (finding->health != PP_FINE)
        pp_advise(finding, "raise it: 'ulimit -n 1024'");
}

static bool has_infiniband(void)
{
    DIR *devices = opendir("/sys/class/infiniband");
    const struct dirent *entry;
    bool found = false;
    while (devices && (entry = readdir(devices)))
        found |= entry->d_name[0] != '.';
    if (devices)
        closedir(devices);
    return found;
}

/* Only network cards that read memory themselves want it locked. */
void pp_check_locked_memory(struct pp_patient *patient, struct pp_finding *finding)
{
    struct rlimit limit;
    char text[64] = "no limit";
    (void)patient;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        pp_assign(text, sizeof text, "%.3g MiB", (double)limit.rlim_cur / mib);
    if (!has_infiniband()) {
        pp_find(finding, PP_FINE, "%s; no network card here needs it", text);
    } else if (limit.rlim_cur == RLIM_INFINITY) {
        pp_find(finding, PP_FINE, "%s, as InfiniBand needs", text);
    } else {
        pp_find(finding, PP_DOUBTFUL, "%s, and there is InfiniBand, which locks more",
                text);
        pp_advise(finding, "set 'memlock unlimited' in /etc/security/limits.conf");
    }
}

void pp_check_gnuplot(struct pp_patient *patient, struct pp_finding *finding)
{
    struct pp_plot_directory directory;
    struct pp_error error = {0};
    char *picture = patient->folder.path
                        ? pp_folder_file(&patient->folder, "picture.svg", &error)
                        : NULL;
    if (!picture)
        return;
    if (pp_plot_directory_init(&directory, NULL, &error) == 0) {
        FILE *script = pp_plot_file_open(&directory, "check.gp", &error);
        if (script)
            fputs("set terminal svg\nset output 'check.svg'\nplot x\n", script);
        if (script && pp_plot_file_close(&directory, script, &error) == 0)
            pp_gnuplot(&directory, "check", picture, &error);
        pp_plot_directory_release(&directory);
    }
    free(picture);
    if (error.lines == 0) {
        pp_find(finding, PP_FINE, "draws pictures");
        return;
    }
    pp_find(finding, PP_DOUBTFUL, "%s", error.text);
    pp_advise(finding, "only '--plot' needs it: apt-get install gnuplot-nox");
}
