#include "run/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct pp_line unseen;
static struct pp_line *line = &unseen;

size_t pp_status_bytes(int ranks)
{
    return sizeof(struct pp_status_page) + (size_t)ranks * sizeof(struct pp_line);
}

static struct pp_status_page *map(int file, int ranks)
{
    void *page =
        mmap(NULL, pp_status_bytes(ranks), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return page == MAP_FAILED ? NULL : page;
}

struct pp_status_page *pp_status_create(const char *path, int ranks,
                                        struct pp_error *error)
{
    struct pp_status_page *page = NULL;
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int reason = file < 0 ? errno : 0;
    /* A mapped page without room behind it would end by SIGBUS whoever writes to it. */
    if (reason == 0)
        reason = posix_fallocate(file, 0, (off_t)pp_status_bytes(ranks));
    if (reason == 0 && !(page = map(file, ranks)))
        reason = errno;
    if (file >= 0)
        close(file);
    if (page)
        page->ranks = ranks;
    else
        pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path, strerror(reason));
    return page;
}

struct pp_status_page *pp_status_attach(const char *path, int ranks)
{
    struct pp_status_page *page = NULL;
    struct stat status;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return NULL;
    if (fstat(file, &status) == 0 && (size_t)status.st_size == pp_status_bytes(ranks))
        page = map(file, ranks);
    close(file);
    return page;
}

void pp_status_release(struct pp_status_page *page)
{
    if (page)
        munmap(page, pp_status_bytes(page->ranks));
}

struct pp_line *pp_status_line(void)
{
    return line;
}

/* No order between these is needed: who reads them reads what has long been written. */
#define SET(field, value)                                                              \
    atomic_store_explicit(&line->field, value, memory_order_relaxed)
#define COPY(field) SET(field, atomic_load(&before->field))

void pp_status_move(struct pp_line *to)
{
    const struct pp_line *before = line;
    line = to ? to : &unseen;
    COPY(beats);
    COPY(place);
    COPY(step);
    COPY(kind);
    COPY(stage);
    COPY(microbatch);
    COPY(from);
    COPY(told);
    COPY(left);
    atomic_store(&line->pid, (int)getpid());
}

static void note(enum pp_place place, struct pp_op op)
{
    SET(kind, op.kind);
    SET(stage, op.stage);
    SET(microbatch, op.microbatch);
    SET(place, (int)place);
}

void pp_note_op(struct pp_op op)
{
    note(PP_IN_OP, op);
}

void pp_note_wait(struct pp_op awaited, int from)
{
    SET(from, from);
    note(PP_BEFORE_OP, awaited);
}

void pp_note_place(enum pp_place place, int step)
{
    SET(step, step);
    SET(place, (int)place);
}

enum pp_place pp_note_wait_all(void)
{
    enum pp_place before =
        (enum pp_place)atomic_load_explicit(&line->place, memory_order_relaxed);
    SET(place, PP_BEFORE_ALL);
    return before;
}

void pp_note_back(enum pp_place place)
{
    SET(place, (int)place);
}

void pp_note_told(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    SET(told, (long long)time.tv_sec * 1000000000 + time.tv_nsec);
}
