/* Loaded before ppsim, lets one allocation fail: the n-th of those that ppsim's own
 * code asks for. Whose it is, the call stack says: the innermost function that is
 * neither the C library's nor Jansson's, which allocate for who called them. So what
 * asprintf, getline, open_memstream or json_pack need counts as ppsim's, what Open MPI,
 * hwloc, BLAS or the loader need does not; but for what hwloc allocates in the very
 * function that ppsim called (hwloc_bitmap_alloc).
 *
 *   FAIL_ALLOCATION=n     which, from 1; 0: none; n+: that and all behind it
 *   FAIL_ALLOCATION_IN=r  in which process: a rank of MPI's world (its number), or the
 *                         one that is no rank (not set)
 *   FAIL_ALLOCATION_LOG   this file gets a line per allocation, "n site path", if none
 *                         is to fail; "failed n site path" for those that fail; and, at
 *                         the end of the process, "live site" for each that was not
 * freed
 *
 * A site is the place in the program, in hex, behind the innermost call of its own; a
 * path stands for all the calls of its own that led there.
 *
 * A program that is linked with fail-allocation.h asks for the same by function. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#include "failing-allocation.h"

/* A program that asks by function lets Jansson's readers alone. Where they have no
 * memory for a character, Jansson 2.14 goes on without it, and past the end of the next
 * string; ppsim makes sure before it reads that there is room (base/json.h). */
static const char *const readers[] = {"json_loadf", "json_loadb", "json_loads"};

/* Code in memory. */
struct range {
    uintptr_t from, to;
};
static struct range own, through[2], hwloc; /* through: the C library, Jansson */
static uintptr_t base;                      /* where the program was loaded */

static bool in(struct range range, uintptr_t address)
{
    return address >= range.from && address < range.to;
}

static bool passes_through(uintptr_t address)
{
    return in(through[0], address) || in(through[1], address);
}

static long failing, counted; /* failing: which; 0: none */
static bool for_ever, watching, recording, sparing;
static int log_file = -1;
/* Set while this library works: what it needs itself is nobody's allocation. */
static __thread bool inside __attribute__((tls_model("initial-exec")));

static bool is_reader(uintptr_t address)
{
    const void *function = _Unwind_FindEnclosingFunction((void *)address);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (function && function == dlsym(RTLD_DEFAULT, readers[i]))
            return true;
    }
    return false;
}

struct origin {
    bool known;
    uintptr_t site;
    uint64_t path;
};

struct walk {
    int depth;
    bool from_hwloc;
    struct origin origin;
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *data)
{
    struct walk *walk = data;
    uintptr_t address = _Unwind_GetIP(context);
    struct origin *origin = &walk->origin;
    walk->depth++;
    if (in(own, address)) {
        if (!origin->known)
            origin->site = address - base;
        origin->known = true;
        origin->path = (origin->path ^ (address - base)) * 0x9e3779b97f4a7c15u;
        /* The whole path is for the record alone. */
        return recording ? _URC_NO_REASON : _URC_END_OF_STACK;
    }
    if (origin->known) /* who has called it (qsort, main's own caller) is no matter */
        return _URC_NO_REASON;
    /* This function, and those below it, come first. */
    if (walk->depth <= 4 && !passes_through(address) && !in(hwloc, address))
        return _URC_NO_REASON;
    if (sparing && in(through[1], address) && is_reader(address))
        return _URC_END_OF_STACK;
    if (in(hwloc, address) && !walk->from_hwloc) {
        walk->from_hwloc = true;
        return _URC_NO_REASON;
    }
    return passes_through(address) ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* A table of what lives: open addressing; a removed entry keeps its place. */
enum { TABLE = 1 << 18 };
static struct {
    uintptr_t pointer, site;
} live[TABLE];
static volatile char busy;
static const uintptr_t removed = 1;

static void lock(void)
{
    while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
        ;
}

static void unlock(void)
{
    __atomic_clear(&busy, __ATOMIC_RELEASE);
}

static void remember(void *pointer, uintptr_t site)
{
    uintptr_t key = (uintptr_t)pointer;
    size_t at = (key >> 4) * 0x9e3779b1u % TABLE;
    lock();
    while (live[at].pointer > removed && live[at].pointer != key)
        at = (at + 1) % TABLE;
    live[at].pointer = key;
    live[at].site = site;
    unlock();
}

static void forget(void *pointer)
{
    uintptr_t key = (uintptr_t)pointer;
    size_t at = (key >> 4) * 0x9e3779b1u % TABLE;
    if (!watching || !pointer)
        return;
    lock();
    for (; live[at].pointer; at = (at + 1) % TABLE) {
        if (live[at].pointer == key) {
            live[at].pointer = removed;
            break;
        }
    }
    unlock();
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (log_file >= 0 && write(log_file, line, (size_t)length) < 0)
        abort();
}

/* Counts an allocation, if it is ppsim's. Returns whether it is to fail; *site is 0 for
 * one that is not ppsim's. */
static bool is_to_fail(void *caller, uintptr_t *site)
{
    *site = 0;
    uintptr_t address = (uintptr_t)caller;
    if (!watching || inside ||
        !(in(own, address) || passes_through(address) || in(hwloc, address)))
        return false;
    inside = true;
    struct walk walk = {0};
    _Unwind_Backtrace(step, &walk);
    bool fails = false;
    if (walk.origin.known) {
        long n = __atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
        *site = walk.origin.site;
        fails = failing && (n == failing || (for_ever && n > failing));
        if (fails || recording)
            say("%s%ld %lx %lx\n", fails ? "failed " : "", n, (unsigned long)*site,
                (unsigned long)walk.origin.path);
    }
    inside = false;
    return fails;
}

static void *fail(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *keep(void *pointer, uintptr_t site)
{
    if (pointer && site)
        remember(pointer, site);
    return pointer;
}

/* The next definition of a function. dlsym itself may ask for zeros, early on. */
#define NEXT(name)                                                                     \
    static __typeof__(&(name)) next;                                                   \
    if (!next)                                                                         \
        *(void **)&next = find(#name);

static char early[4096];
static size_t early_used;
static bool finding;

static void *find(const char *name)
{
    finding = true;
    void *found = dlsym(RTLD_NEXT, name);
    finding = false;
    return found;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    uintptr_t site;
    NEXT(malloc)
    return is_to_fail(CALLER, &site) ? fail() : keep(next(size), site);
}

void *calloc(size_t count, size_t size)
{
    uintptr_t site;
    if (finding) {
        void *zeros = early + early_used;
        early_used += (count * size + 15) / 16 * 16;
        return early_used <= sizeof early ? zeros : NULL;
    }
    NEXT(calloc)
    return is_to_fail(CALLER, &site) ? fail() : keep(next(count, size), site);
}

void *realloc(void *pointer, size_t size)
{
    uintptr_t site;
    NEXT(realloc)
    if (is_to_fail(CALLER, &site))
        return fail();
    forget(pointer);
    void *moved = next(pointer, size);
    return keep(moved, site);
}

void *reallocarray(void *pointer, size_t count, size_t size)
{
    uintptr_t site;
    NEXT(reallocarray)
    if (is_to_fail(CALLER, &site))
        return fail();
    forget(pointer);
    return keep(next(pointer, count, size), site);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    uintptr_t site;
    NEXT(aligned_alloc)
    return is_to_fail(CALLER, &site) ? fail() : keep(next(alignment, size), site);
}

int posix_memalign(void **pointer, size_t alignment, size_t size)
{
    uintptr_t site;
    NEXT(posix_memalign)
    if (is_to_fail(CALLER, &site))
        return ENOMEM;
    int number = next(pointer, alignment, size);
    if (number == 0)
        keep(*pointer, site);
    return number;
}

void free(void *pointer)
{
    NEXT(free)
    if ((char *)pointer >= early && (char *)pointer < early + sizeof early)
        return;
    forget(pointer);
    next(pointer);
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t from)
{
    uintptr_t site;
    NEXT(mmap)
    if (is_to_fail(CALLER, &site)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *mapped = next(address, size, protection, flags, file, from);
    if (mapped != MAP_FAILED && site)
        remember(mapped, site);
    return mapped;
}

int munmap(void *address, size_t size)
{
    NEXT(munmap)
    forget(address);
    return next(address, size);
}

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    bool *first = data;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name;
    struct range *range = *first                                    ? &own
                          : strncmp(name, "libc.so", 7) == 0        ? &through[0]
                          : strncmp(name, "libjansson.so", 13) == 0 ? &through[1]
                          : strncmp(name, "libhwloc.so", 11) == 0   ? &hwloc
                                                                    : NULL;
    if (*first)
        base = info->dlpi_addr;
    *first = false;
    for (int i = 0; range && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            range->from = info->dlpi_addr + part->p_vaddr;
            range->to = range->from + part->p_memsz;
        }
    }
    return 0;
}

static _Unwind_Reason_Code nothing(struct _Unwind_Context *context, void *data)
{
    (void)context, (void)data;
    return _URC_END_OF_STACK;
}

/* Is this process the one that is meant? Those that others start, as mpiexec, are not.
 */
static bool is_meant(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK"),
               *wanted = getenv("FAIL_ALLOCATION_IN");
    char name[4096] = "";
    if (readlink("/proc/self/exe", name, sizeof name - 1) < 0)
        return false;
    const char *slash = strrchr(name, '/');
    if (strcmp(slash ? slash + 1 : name, "ppsim") != 0)
        return false;
    return rank && wanted ? strcmp(rank, wanted) == 0 : !rank && !wanted;
}

__attribute__((constructor)) static void begin(void)
{
    bool first = true;
    const char *which = getenv("FAIL_ALLOCATION"), *log = getenv("FAIL_ALLOCATION_LOG");
    dl_iterate_phdr(look, &first);
    _Unwind_Backtrace(nothing, NULL); /* which allocates the first time */
    if (log && (which ? is_meant() : true))
        log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (!which || !is_meant())
        return;
    char *end;
    failing = strtol(which, &end, 10);
    for_ever = *end == '+';
    recording = failing == 0;
    watching = true;
}

__attribute__((destructor)) static void end(void)
{
    if (!watching)
        return;
    watching = false;
    for (int i = 0; i < TABLE; i++) {
        if (live[i].pointer > removed)
            say("live %lx\n", (unsigned long)live[i].site);
    }
}

/* For a program that lets its own allocations fail. */

void failing_allocation_begin(long n)
{
    memset(live, 0, sizeof live);
    counted = 0;
    failing = n;
    sparing = true;
    watching = true;
}

bool failing_allocation_end(int *not_freed)
{
    watching = false;
    *not_freed = 0;
    for (int i = 0; i < TABLE; i++)
        *not_freed += live[i].pointer > removed;
    return counted >= failing;
}
