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
    const char *mount, *limit, *usage, *cached[2];
};
static const struct version versions[] = {
    {"/sys/fs/cgroup/memory",
     "memory.limit_in_bytes",
     "memory.usage_in_bytes",
     {"total_active_file", "total_inactive_file"}},
    {"/sys/fs/cgroup",
     "memory.max",
     "memory.current",
     {"active_file", "inactive_file"}},
};

/* What one cgroup leaves. */
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

/* What a cgroup and all those around it leave. A container may not see its own path
 * under its mount, but the mount itself is then its cgroup. */
static double left_under(const char *root, const struct version *version, char *path)
{
    double least = INFINITY;
    char folder[PATH];
    path[strcspn(path, "\n")] = '\0';
    for (;;) {
        snprintf(folder, sizeof folder, "%s%s%s", root, version->mount, path);
        least = fmin(least, left_in(folder, version));
        char *slash = strrchr(path, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* /proc/self/cgroup has lines "4:memory:/path" of version 1, "0::/path" of version 2.
 */
static double cgroup(const char *root)
{
    char line[PATH];
    double least = INFINITY;
    snprintf(line, sizeof line, "%s/proc/self/cgroup", root);
    FILE *file = fopen(line, "re");
    while (file && fgets(line, sizeof line, file)) {
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        if (strcmp(controllers + 1, "") == 0)
            least = fmin(least, left_under(root, &versions[1], path));
        else if (strstr(controllers + 1, "memory"))
            least = fmin(least, left_under(root, &versions[0], path));
    }
    if (file)
        fclose(file);
    return least;
}

struct pp_available pp_available(const char *root)
{
    struct rlimit limit;
    bool limited = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return (struct pp_available){
        .machine = machine(root),
        .cgroup = cgroup(root),
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
