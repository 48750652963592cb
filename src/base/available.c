#include "base/available.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PATH = 4096, LINE = 4096 };

/* The number that follows the name in a file of "name number" lines; NaN where there is
 * none. */
static double number_in(const char *path, const char *name)
{
    char line[LINE];
    double number = NAN;
    FILE *file = fopen(path, "re");
    if (!file)
        return NAN;
    while (isnan(number) && fgets(line, sizeof line, file)) {
        size_t length = strlen(name);
        if (strncmp(line, name, length) == 0 && strchr(" :", line[length]))
            number = strtod(line + length + 1, NULL);
    }
    fclose(file);
    return number;
}

/* The number that is all of a file; INFINITY for "max", NaN where there is none. */
static double number_of(const char *path)
{
    char line[LINE] = "", *end;
    FILE *file = fopen(path, "re");
    if (!file)
        return NAN;
    bool empty = !fgets(line, sizeof line, file);
    fclose(file);
    if (!empty && strncmp(line, "max", 3) == 0)
        return INFINITY;
    double number = strtod(line, &end);
    return end == line ? (double)NAN : number;
}

static double machine(const char *root)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    double available = number_in(path, "MemAvailable");
    double swap = number_in(path, "SwapFree");
    if (isnan(available))
        return INFINITY;
    return 1024 * (available + (isnan(swap) ? 0 : swap));
}

/* The names of the files of a memory cgroup, by version. */
struct version {
    const char *limit, *usage, *cached[2];
};
static const struct version versions[] = {
    {"memory.limit_in_bytes",
     "memory.usage_in_bytes",
     {"total_active_file", "total_inactive_file"}},
    {"memory.max", "memory.current", {"active_file", "inactive_file"}},
};

/* The bytes that one cgroup leaves. */
static double left_in(const char *folder, const struct version *version)
{
    char path[PATH + 64];
    snprintf(path, sizeof path, "%s/%s", folder, version->limit);
    double limit = number_of(path);
    snprintf(path, sizeof path, "%s/%s", folder, version->usage);
    double left = limit - number_of(path);
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    for (int i = 0; i < 2; i++) {
        double cached = number_in(path, version->cached[i]);
        left += isnan(cached) ? 0 : cached;
    }
    return isnan(left) ? (double)INFINITY : fmax(left, 0);
}

static double left_of_version_1(const char *folder)
{
    return left_in(folder, &versions[0]);
}

static double left_of_version_2(const char *folder)
{
    return left_in(folder, &versions[1]);
}

/* The CPUs of one cgroup: in each period its processes may run for a quota of time; -1
 * stands for no quota. */
static double cpus_of_version_1(const char *folder)
{
    char path[PATH + 64];
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    double quota = number_of(path);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    double cpus = quota / number_of(path);
    return cpus > 0 ? cpus : (double)INFINITY;
}

/* The same, both in one file: "150000 100000", or "max 100000". */
static double cpus_of_version_2(const char *folder)
{
    char path[PATH + 64];
    double quota, period;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    FILE *file = fopen(path, "re");
    bool limited = file && fscanf(file, "%lf %lf", &quota, &period) == 2 && period > 0;
    if (file)
        fclose(file);
    return limited ? quota / period : (double)INFINITY;
}

/* What is asked of cgroups: their controller, where the groups of version 1 are that
 * have it, and what is in one group of either version. */
struct controller {
    const char *name, *mount;
    double (*of_version_1)(const char *folder), (*of_version_2)(const char *folder);
};
static const struct controller memory = {"memory", "/sys/fs/cgroup/memory",
                                         left_of_version_1, left_of_version_2};
static const struct controller cpu = {"cpu", "/sys/fs/cgroup/cpu", cpus_of_version_1,
                                      cpus_of_version_2};

/* The least in a cgroup and all those around it. A container may not see its own path
 * under its mount, but the mount itself is then its cgroup. */
static double least_under(const char *root, const char *mount,
                          double (*ask)(const char *folder), char *path)
{
    double least = INFINITY;
    char folder[PATH];
    path[strcspn(path, "\n")] = '\0';
    for (;;) {
        snprintf(folder, sizeof folder, "%s%s%s", root, mount, path);
        least = fmin(least, ask(folder));
        char *slash = strrchr(path, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* Is the name one of those in the list, which have commas between? */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL) {
        if (strcspn(list, ",") == length && strncmp(list, name, length) == 0)
            return true;
    }
    return false;
}

/* /proc/self/cgroup has lines "4:cpu,memory:/path" of version 1, "0::/path" of version
 * 2. */
static double least_of(const char *root, const struct controller *controller)
{
    char line[PATH];
    double least = INFINITY;
    snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
    FILE *file = fopen(line, "re");
    while (file && fgets(line, sizeof line, file)) {
        char *names = strchr(line, ':');
        char *path = names ? strchr(names + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        if (strcmp(names + 1, "") == 0)
            least = fmin(least, least_under(root, "/sys/fs/cgroup",
                                            controller->of_version_2, path));
        else if (is_listed(names + 1, controller->name))
            least = fmin(least, least_under(root, controller->mount,
                                            controller->of_version_1, path));
    }
    if (file)
        fclose(file);
    return least;
}

double pp_available_cpus(const char *root)
{
    return least_of(root, &cpu);
}

struct pp_available pp_available(const char *root)
{
    struct rlimit limit;
    bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return (struct pp_available){
        .machine = machine(root),
        .cgroup = least_of(root, &memory),
        .process = limited ? (double)limit.rlim_cur : (double)INFINITY,
    };
}

double pp_available_least(const struct pp_available *available, const char **name)
{
    bool by_cgroup = available->cgroup < available->machine;
    if (name)
        *name = by_cgroup ? "the limit of its cgroup" : "MemAvailable";
    return by_cgroup ? available->cgroup : available->machine;
}

const char *pp_bytes_text(double bytes, char text[PP_BYTES_TEXT])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB", NULL};
    int unit = 0;
    while (bytes >= 999.5 && units[unit + 1]) {
        bytes /= 1e3;
        unit++;
    }
    int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    snprintf(text, PP_BYTES_TEXT, "%.*f %s", decimals, bytes, units[unit]);
    return text;
}
