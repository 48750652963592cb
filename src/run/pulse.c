#include "run/pulse.h"

#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/folder.h"
#include "run/lair.h"
#include "run/watch.h"

/* Shared by a rank's two threads, under the mutex. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    bool beats;                   /* the thread runs */
    int rank;                     /* -1: not known before MPI_Init */
    pid_t launcher;               /* the process that started this one */
    struct pp_status_page *owned; /* the parent's page, and */
    int lock;                     /* its lock; NULL and -1 where there is none */
    struct pp_status_page *page;  /* the ranks' own; NULL: nobody to watch */
    MPI_Win window;               /* that it is in */
    struct pp_watch watch;        /* of it */
} pulse = {.mutex = PTHREAD_MUTEX_INITIALIZER,
           .changed = PTHREAD_COND_INITIALIZER,
           .rank = -1,
           .lock = -1};

/* Ends this rank, and says why unless another rank has. */
static _Noreturn void end(struct pp_status_page *page, const struct pp_error *error)
{
    if (!page || !atomic_exchange(&page->spoken, true))
        dprintf(STDERR_FILENO, "ppsim: %s\n", error->text);
    _exit(pp_lair_status(PP_ENVIRONMENT));
}

static void look_for_parent(void)
{
    struct pp_error error = {0};
    if (!pulse.owned || !pp_folder_ownerless(pulse.lock))
        return;
    pp_lair_abandon(pulse.owned);
    pp_fail(&error, PP_ENVIRONMENT,
            "the process that started the ranks was killed: they end");
    end(pulse.owned, &error);
}

/* If there is a parent it has seen that too, and says so. */
static void look_for_launcher(void)
{
    struct pp_error error = {0};
    if (getppid() == pulse.launcher || pulse.owned)
        return;
    pp_lair_abandon_session();
    pp_fail(&error, PP_ENVIRONMENT,
            "the process that started rank %d was killed: it ends", pulse.rank);
    end(pulse.page, &error);
}

static void look_for_silence(void)
{
    struct pp_error error = {0};
    int silent = pulse.page ? pp_watch_look(&pulse.watch) : -1;
    if (silent < 0)
        return;
    pp_watch_tell_silent(&pulse.watch, silent, &error);
    end(pulse.page, &error);
}

static void *beat(void *unused)
{
    pthread_mutex_lock(&pulse.mutex);
    while (pulse.beats) {
        struct timespec next;
        atomic_fetch_add(&pp_status_line()->beats, 1);
        look_for_parent();
        look_for_launcher();
        look_for_silence();
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_nsec += PP_BEAT_MS * 1000000L;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        pthread_cond_clockwait(&pulse.changed, &pulse.mutex, CLOCK_MONOTONIC, &next);
    }
    pthread_mutex_unlock(&pulse.mutex);
    return unused;
}

static void start_thread(void)
{
    enum { STACK = 1 << 18 };
    struct pp_error error = {0};
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pulse.beats = true;
    int reason = pthread_create(&pulse.thread, &attributes, beat, NULL);
    if (reason != 0) {
        pp_fail(&error, PP_ENVIRONMENT, "cannot start a thread: %s", strerror(reason));
        end(pulse.owned, &error);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

void pp_pulse_start(void)
{
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    struct pp_status_page *page = pp_lair_enter(&pulse.lock);
    pulse.launcher = getppid();
    pulse.owned = page;
    if (rank)
        pulse.rank = atoi(rank);
    if (page && rank && pulse.rank >= 0 && pulse.rank < page->ranks)
        pp_status_move(&page->lines[pulse.rank]);
    start_thread();
}

/* The page of the ranks of one host, in memory that MPI shares between them. MPI says
 * nothing of its alignment; a multiple of ours is as far from the memory's start in
 * each process, since each maps whole pages. */
static struct pp_status_page *share_page(MPI_Comm host, int ranks, MPI_Win *window)
{
    enum { ALIGNMENT = _Alignof(struct pp_status_page) };
    char *memory;
    int rank, unit;
    MPI_Aint bytes = (MPI_Aint)pp_status_bytes(ranks) + ALIGNMENT;
    MPI_Comm_rank(host, &rank);
    MPI_Win_allocate_shared(rank == 0 ? bytes : 0, 1, MPI_INFO_NULL, host, &memory,
                            window);
    MPI_Win_shared_query(*window, 0, &bytes, &unit, &memory);
    memory += -(uintptr_t)memory % ALIGNMENT;
    struct pp_status_page *page = (struct pp_status_page *)memory;
    if (rank == 0) {
        memset(page, 0, pp_status_bytes(ranks));
        page->ranks = ranks;
    }
    MPI_Barrier(host);
    return page;
}

void pp_pulse_watch(double timeout_s)
{
    struct pp_error error = {0};
    struct pp_status_page *page = NULL;
    MPI_Win window = MPI_WIN_NULL;
    MPI_Comm host;
    int rank, ranks, alone = !pulse.owned;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host);
    MPI_Allreduce(MPI_IN_PLACE, &alone, 1, MPI_INT, MPI_MAX, host);
    if (alone)
        page = share_page(host, ranks, &window);
    MPI_Comm_free(&host);

    pthread_mutex_lock(&pulse.mutex);
    pulse.rank = rank;
    pulse.page = page;
    pulse.window = window;
    if (page) {
        pp_status_move(&page->lines[rank]);
        if (pp_watch_init(&pulse.watch, page, timeout_s, &error) != 0)
            end(page, &error);
    }
    pthread_mutex_unlock(&pulse.mutex);
}

void pp_pulse_watch_end(void)
{
    pthread_mutex_lock(&pulse.mutex);
    bool shared = pulse.page != NULL;
    if (shared) {
        atomic_store(&pp_status_line()->left, true);
        pp_status_move(NULL);
        pp_watch_release(&pulse.watch);
    }
    pulse.page = NULL;
    pthread_mutex_unlock(&pulse.mutex);
    if (shared)
        MPI_Win_free(&pulse.window);
}

void pp_pulse_stop(void)
{
    pthread_mutex_lock(&pulse.mutex);
    pulse.beats = false;
    atomic_store(&pp_status_line()->left, true);
    pthread_cond_signal(&pulse.changed);
    pthread_mutex_unlock(&pulse.mutex);
    pthread_join(pulse.thread, NULL);
}
