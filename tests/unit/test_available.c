/* What the kernel says of memory, from files as it writes them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/available.h"
#include "unit.h"

static const char meminfo[] =
    "MemTotal:       16000000 kB\nMemFree:         1000000 kB\n"
    "MemAvailable:    8000000 kB\nSwapFree:         500000 kB\n";

/* Writes a file under the root, and the folders that it is in. */
static void put(const char *root, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *new_root(const char *name)
{
    const char *root = unit_path(name);
    ck_assert_int_eq(mkdir(root, 0700), 0);
    return root;
}

START_TEST(a_machine_without_cgroups)
{
    const char *root = new_root("machine"), *name;
    struct pp_available found = pp_available(root);
    ck_assert(isinf(found.machine) && isinf(found.cgroup)); /* no /proc: no limit */
    put(root, "/proc/meminfo", meminfo);
    found = pp_available(root);
    ck_assert_double_eq(found.machine, 8500000 * 1024.0);
    ck_assert(isinf(found.cgroup));
    ck_assert_double_eq(pp_available_least(&found, &name), found.machine);
    ck_assert_str_eq(name, "MemAvailable");
}
END_TEST

/* Version 2: the tightest of a group and those around it; caches of files are free. */
START_TEST(a_cgroup_of_version_2)
{
    const char *root = new_root("v2"), *name;
    put(root, "/proc/meminfo", meminfo);
    put(root, "/proc/self/cgroup", "0::/job/step\n");
    put(root, "/sys/fs/cgroup/job/memory.max", "1000000\n");
    put(root, "/sys/fs/cgroup/job/memory.current", "700000\n");
    put(root, "/sys/fs/cgroup/job/memory.stat",
        "anon 500000\nfile 200000\nactive_file 50000\ninactive_file 150000\n");
    put(root, "/sys/fs/cgroup/job/step/memory.max", "max\n");
    put(root, "/sys/fs/cgroup/job/step/memory.current", "600000\n");
    struct pp_available found = pp_available(root);
    ck_assert_double_eq(found.cgroup, 1000000 - 700000 + 200000);
    ck_assert_double_eq(pp_available_least(&found, &name), 500000);
    ck_assert_str_eq(name, "the limit of its cgroup");
    put(root, "/sys/fs/cgroup/job/step/memory.max", "650000\n");
    ck_assert_double_eq(pp_available(root).cgroup, 50000);
    put(root, "/sys/fs/cgroup/job/step/memory.current", "660000\n");
    ck_assert_double_eq(pp_available(root).cgroup, 0);
}
END_TEST

/* Version 1, in a container that sees its group at the mount, not at its path. */
START_TEST(a_cgroup_of_version_1)
{
    const char *root = new_root("v1");
    put(root, "/proc/meminfo", meminfo);
    put(root, "/proc/self/cgroup",
        "9:name=systemd:/\n4:cpu,memory:/docker/1234\n1:cpuset:/\n0::/\n");
    put(root, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "4000000000\n");
    put(root, "/sys/fs/cgroup/memory/memory.usage_in_bytes", "1000000000\n");
    put(root, "/sys/fs/cgroup/memory/memory.stat",
        "inactive_file 7\ntotal_inactive_file 100\ntotal_active_file 20\n");
    ck_assert_double_eq(pp_available(root).cgroup, 3000000120);
}
END_TEST

START_TEST(quotas_of_cpus)
{
    const char *root = new_root("cpus");
    ck_assert(isinf(pp_available_cpus(root)));
    put(root, "/proc/self/cgroup",
        "3:cpuset:/\n2:cpuacct,cpu:/docker/12\n0::/job/step\n");
    put(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put(root, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put(root, "/sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
    ck_assert(isinf(pp_available_cpus(root)));
    put(root, "/sys/fs/cgroup/job/cpu.max", "250000 100000\n");
    ck_assert_double_eq(pp_available_cpus(root), 2.5);
    put(root, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
    ck_assert_double_eq(pp_available_cpus(root), 1.5);
}
END_TEST

START_TEST(bytes_for_people)
{
    static const struct {
        double bytes;
        const char *text;
    } cases[] = {{0, "0 B"},          {999, "999 B"},       {1000, "1.00 kB"},
                 {99940, "99.9 kB"},  {99960, "100 kB"},    {999499, "999 kB"},
                 {999500, "1.00 MB"}, {9994999, "9.99 MB"}, {9995001, "10.0 MB"},
                 {4.22e14, "422 TB"}, {3e21, "3000 EB"}};
    char text[PP_BYTES_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(pp_bytes_text(cases[i].bytes, text), cases[i].text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("available");
    TCase *all = tcase_create("available");
    tcase_add_test(all, a_machine_without_cgroups);
    tcase_add_test(all, a_cgroup_of_version_2);
    tcase_add_test(all, a_cgroup_of_version_1);
    tcase_add_test(all, quotas_of_cpus);
    tcase_add_test(all, bytes_for_people);
    suite_add_tcase(suite, all);
    return unit_run(suite);
}
