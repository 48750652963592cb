#include "run/lair.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/words.h"

/* Where mpiexec has its session's folder. */
static const char session[] = "OMPI_MCA_orte_local_tmpdir_base";
static const char shared_memory[] = "/dev/shm";

bool pp_lair_told(void)
{
    return getenv(PP_LAUNCHED) != NULL;
}

int pp_lair_status(int status)
{
    return pp_lair_told() ? PP_STATUS_BASE + status : status;
}

static struct pp_status_page *make_page(const struct pp_folder *folder, int ranks,
                                        struct pp_error *error)
{
    char *path = pp_folder_file(folder, "status", error);
    struct pp_status_page *page = path ? pp_status_create(path, ranks, error) : NULL;
    free(path);
    return page;
}

static bool set_by_user(const char *parameter)
{
    char name[64];
    pp_assign(name, sizeof name, "OMPI_MCA_%s", parameter);
    return getenv(name) != NULL;
}

/* The page is written often: where there is memory for files it is there. */
static int make(struct pp_lair *lair, int ranks, struct pp_error *error)
{
    struct pp_error unused = {0};
    if (pp_folder_init(&lair->session, "run", error) != 0)
        return -1;
    if (pp_folder_init_in(&lair->shared, shared_memory, "run", &unused) == 0 &&
        !(lair->page = make_page(&lair->shared, ranks, &unused)))
        pp_folder_release(&lair->shared);
    if (!lair->page && !(lair->page = make_page(&lair->session, ranks, error)))
        return -1;
    pp_assign(lair->page->folders[0], PATH_MAX, "%s", lair->session.path);
    if (lair->shared.path)
        pp_assign(lair->page->folders[1], PATH_MAX, "%s", lair->shared.path);
    return 0;
}

int pp_lair_init(struct pp_lair *lair, int ranks, struct pp_error *error)
{
    *lair = (struct pp_lair){0};
    if (make(lair, ranks, error) != 0) {
        pp_folder_release(&lair->session);
        return -1;
    }
    const char *home = lair->shared.path ? lair->shared.path : lair->session.path;
    if (setenv(PP_LAUNCHED, home, 1) != 0 ||
        (!set_by_user("orte_tmpdir_base") &&
         setenv(session, lair->session.path, 0) != 0)) {
        pp_fail(error, PP_ENVIRONMENT, "out of memory for the environment");
        pp_lair_release(lair);
        return -1;
    }
    /* If mpiexec is killed its ranks become this process's children, to wait for. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return 0;
}

/* Was the process told of this process's lair? */
static bool is_told(const char *pid)
{
    char path[PATH_MAX], *word = NULL, *own = NULL;
    const char *home = getenv(PP_LAUNCHED);
    size_t size = 0;
    bool found = false;
    pp_assign(path, sizeof path, "/proc/%s/environ", pid);
    FILE *file = fopen(path, "r");
    if (!file || !home || asprintf(&own, "%s=%s", PP_LAUNCHED, home) < 0)
        own = NULL;
    while (own && !found && getdelim(&word, &size, '\0', file) > 0)
        found = strcmp(word, own) == 0;
    if (file)
        fclose(file);
    free(word);
    free(own);
    return found;
}

/* Kills all that were told of it but this process. Returns how many there are. */
static int kill_told(void)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    int found = 0;
    while (processes && (entry = readdir(processes))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || !is_told(entry->d_name))
            continue;
        found++;
        kill(pid, SIGKILL);
    }
    if (processes)
        closedir(processes);
    return found;
}

/* What has ended and is nobody else's to wait for. Children that this process was born
 * with (exec) are the affair of whoever it was before. */
static int wait_for_ended(const struct pp_status_page *page)
{
    int left = 0;
    for (int r = 0; r < page->ranks; r++) {
        pid_t pid = (pid_t)atomic_load(&page->lines[r].pid);
        if (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0)
            left++;
    }
    return left;
}

void pp_lair_release(struct pp_lair *lair)
{
    /* A process that was killed ends soon, unless the kernel waits for a device. */
    enum { ROUNDS = 1000, ROUND_NS = 1000000 };
    for (int i = 0; i < ROUNDS && (kill_told() > 0 || wait_for_ended(lair->page) > 0);
         i++)
        nanosleep(&(struct timespec){.tv_nsec = ROUND_NS}, NULL);
    pp_status_release(lair->page);
    pp_folder_release(&lair->shared);
    pp_folder_release(&lair->session);
    *lair = (struct pp_lair){0};
}

struct pp_status_page *pp_lair_enter(int *lock)
{
    static const char *const places[] = {"OMPI_MCA_btl_vader_backing_directory",
                                         "OMPI_MCA_osc_sm_backing_directory",
                                         "OMPI_MCA_osc_rdma_backing_directory"};
    const char *folder = getenv(PP_LAUNCHED), *size = getenv("OMPI_COMM_WORLD_SIZE");
    char path[PATH_MAX];
    /* Open MPI's ranks take it for a contradiction to what mpiexec tells them. */
    if (folder)
        unsetenv(session);
    *lock = folder ? pp_folder_open_lock(folder) : -1;
    if (*lock < 0 || !size)
        return NULL;
    pp_assign(path, sizeof path, "%s/status", folder);
    struct pp_status_page *page = pp_status_attach(path, atoi(size));
    if (!page) {
        close(*lock);
        *lock = -1;
    }
    for (size_t i = 0;
         page && page->folders[1][0] && i < sizeof places / sizeof places[0]; i++)
        setenv(places[i], page->folders[1], 0);
    return page;
}

void pp_lair_abandon(const struct pp_status_page *page)
{
    for (int i = 0; i < 2; i++) {
        if (page->folders[i][0])
            pp_folder_remove(page->folders[i]);
    }
}

/* Removes a rank's file of shared memory, "…segment.HOST.USER.JOB.RANK", and those of
 * the job's other ranks of this host. */
static void unlink_segments(char *path)
{
    const char *ranks = getenv("OMPI_COMM_WORLD_LOCAL_SIZE");
    char *end = strrchr(path, '.');
    for (int r = 0; end && r < (ranks ? atoi(ranks) : 0); r++) {
        char name[PATH_MAX];
        pp_assign(name, sizeof name, "%.*s.%d", (int)(end - path), path, r);
        unlink(name);
    }
}

void pp_lair_abandon_session(void)
{
    const char *folder = getenv("PMIX_SERVER_TMPDIR");
    char *line = NULL;
    size_t size = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && getline(&line, &size, maps) > 0) {
        char *path = strstr(line, shared_memory);
        if (path && strstr(path, "_segment.")) {
            path[strcspn(path, "\n")] = '\0';
            unlink_segments(path);
        }
    }
    if (maps)
        fclose(maps);
    free(line);
    if (folder)
        pp_folder_remove(folder);
}
