/* How much memory this process may still take, and how much of the CPUs' time, as the
 * kernel says. */
#ifndef PP_BASE_AVAILABLE_H
#define PP_BASE_AVAILABLE_H

/* Bytes; INFINITY where there is no such limit, or nobody says. Pages that only cache
 * files count as free, and swap counts as memory: this never refuses what would fit. */
struct pp_available {
    double machine; /* MemAvailable and SwapFree */
    double cgroup;  /* what the tightest of its memory cgroups (v1 or v2) leaves */
    double process; /* of addresses: 'ulimit -v', for each process by itself */
};

/* root: where /proc and /sys are found: "" but in tests. */
struct pp_available pp_available(const char *root);

/* How many CPUs' time the quotas of its cpu cgroups (v1 or v2) leave; INFINITY where
 * there is none. */
double pp_available_cpus(const char *root);

/* What all processes here together may take, and, unless NULL, what that is. */
double pp_available_least(const struct pp_available *available, const char **name);

/* The bytes for people: three digits and the unit, "21.4 GB". Returns text. */
enum { PP_BYTES_TEXT = 32 };
const char *pp_bytes_text(double bytes, char text[PP_BYTES_TEXT]);

#endif
