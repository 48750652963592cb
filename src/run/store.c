#include "run/store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/output.h"

static const char temporary[] = ".ppsim-";
static const char pointer[] = "latest";

static int refuse(const char *path, struct pp_error *error)
{
    return pp_fail(error, pp_status_of(errno), "cannot write checkpoints in '%s': %s",
                   path, strerror(errno));
}

/* While it runs, nothing that fails is the fault of what was asked. */
static int fail(const char *path, struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path,
                   strerror(errno));
}

static char *join(const char *path, const char *name, struct pp_error *error)
{
    const struct pp_folder folder = {(char *)path};
    return pp_folder_file(&folder, name, error);
}

const char *pp_store_name(int step, char name[PP_STORE_NAME])
{
    snprintf(name, PP_STORE_NAME, "step-%08d", step);
    return name;
}

char *pp_store_folder(const char *path, int step, struct pp_error *error)
{
    char name[PP_STORE_NAME];
    return join(path, pp_store_name(step, name), error);
}

/* The step of a checkpoint's name; 0 for other names. */
static int step_of(const char *name)
{
    char same[PP_STORE_NAME];
    int step = 0;
    if (sscanf(name, "step-%8d", &step) != 1 || step < 1 ||
        strcmp(pp_store_name(step, same), name) != 0)
        return 0;
    return step;
}

static int newest_first(const void *a, const void *b)
{
    int one = *(const int *)a, other = *(const int *)b;
    return (one < other) - (one > other);
}

int pp_store_list(const char *path, int **steps, struct pp_error *error)
{
    int count = 0;
    *steps = NULL;
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOENT ? 0
                               : pp_fail(error, pp_status_of(errno),
                                         "cannot read '%s': %s", path, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        int step = step_of(entry->d_name);
        if (step == 0)
            continue;
        int *longer = realloc(*steps, ((size_t)count + 1) * sizeof *longer);
        if (!longer) {
            closedir(folder);
            free(*steps);
            *steps = NULL;
            return pp_fail(error, PP_ENVIRONMENT, "out of memory for the names in '%s'",
                           path);
        }
        *steps = longer;
        longer[count++] = step;
    }
    closedir(folder);
    if (count > 0)
        qsort(*steps, (size_t)count, sizeof **steps, newest_first);
    return count;
}

/* What 'latest' names: its step; 0 where there is no such file, -1 where it is damaged.
 */
static int pointed_at(const char *path, struct pp_error *error)
{
    char text[PP_STORE_NAME + 2] = "", *file = join(path, pointer, error);
    if (!file)
        return -1;
    FILE *stream = fopen(file, "r");
    int reason = errno, step = 0;
    if (stream) {
        size_t length = fread(text, 1, sizeof text - 1, stream);
        text[length > 0 && text[length - 1] == '\n' ? length - 1 : length] = '\0';
        fclose(stream);
        step = step_of(text);
        if (step == 0)
            step = pp_fail(error, PP_BAD_INPUT,
                           "'%s' does not name a checkpoint: it should hold a name "
                           "such as step-00000600",
                           file);
    } else if (reason != ENOENT) {
        step = pp_fail(error, pp_status_of(reason), "cannot read '%s': %s", file,
                       strerror(reason));
    }
    free(file);
    return step;
}

int pp_store_latest(const char *path, struct pp_error *error)
{
    int *steps, step = pointed_at(path, error);
    if (step != 0)
        return step;
    /* A run was killed before it wrote 'latest' for the first time: what has its name
     * is whole. */
    int count = pp_store_list(path, &steps, error);
    if (count > 0)
        step = steps[0];
    free(steps);
    return count < 0 ? -1 : step;
}

/* Nobody else writes here while this process lives. */
static int lock(struct pp_store *store, struct pp_error *error)
{
    enum { LOOKS = 50, PAUSE_NS = 100000000 };
    store->lock = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->lock < 0)
        return refuse(store->path, error);
    for (int i = 0; i < LOOKS; i++) {
        /* Where there are no locks, as on some network file systems, go without. */
        if (flock(store->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    }
    return pp_fail(error, PP_BAD_INPUT,
                   "another run writes its checkpoints in '%s': end it, or give "
                   "another '--checkpoint'",
                   store->path);
}

int pp_store_open(struct pp_store *store, const char *path, int keep,
                  struct pp_error *error)
{
    *store = (struct pp_store){.path = path, .keep = keep, .lock = -1};
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return refuse(path, error);
    if (lock(store, error) != 0)
        return -1;
    return access(path, W_OK | X_OK) == 0 ? 0 : refuse(path, error);
}

void pp_store_close(struct pp_store *store)
{
    if (store->writing)
        pp_folder_remove(store->writing);
    free(store->writing);
    if (store->path && store->lock >= 0)
        close(store->lock);
    *store = (struct pp_store){0};
}

int pp_store_clean(const struct pp_store *store, int step, struct pp_error *error)
{
    DIR *folder = opendir(store->path);
    if (!folder)
        return fail(store->path, error);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strncmp(entry->d_name, temporary, strlen(temporary)) != 0 &&
            step_of(entry->d_name) <= step)
            continue;
        char *path = join(store->path, entry->d_name, error);
        if (path)
            pp_folder_remove(path);
        free(path);
    }
    closedir(folder);
    return 0;
}

int pp_store_begin(struct pp_store *store, struct pp_error *error)
{
    mode_t mask = umask(0);
    umask(mask);
    store->writing = join(store->path, ".ppsim-XXXXXX", error);
    if (!store->writing)
        return -1;
    if (mkdtemp(store->writing)) {
        /* As readable as any other folder; where there are no permissions, so be it. */
        chmod(store->writing, 0777 & ~mask);
        return 0;
    }
    free(store->writing);
    store->writing = NULL;
    return fail(store->path, error);
}

/* The checkpoint is not to be seen any more before the first of its files goes. */
static void remove_step(const struct pp_store *store, int step)
{
    struct pp_error error = {0};
    char name[PP_STORE_NAME + sizeof temporary] = "", plain[PP_STORE_NAME];
    snprintf(name, sizeof name, "%s%s", temporary, pp_store_name(step, plain));
    char *from = join(store->path, plain, &error);
    char *to = join(store->path, name, &error);
    if (from && to && rename(from, to) == 0)
        pp_folder_remove(to);
    free(from);
    free(to);
}

/* All but the newest; what cannot be removed is no reason to stop the run. */
static void prune(const struct pp_store *store)
{
    struct pp_error error = {0};
    int *steps, count = pp_store_list(store->path, &steps, &error);
    assert(store->keep >= 1 && (count <= 0 || steps));
    for (int i = store->keep; i < count; i++) {
        if (steps[i] != store->held)
            remove_step(store, steps[i]);
    }
    free(steps);
}

void pp_store_let_go(struct pp_store *store)
{
    store->held = 0;
    prune(store);
}

static int point_at(const struct pp_store *store, int step, struct pp_error *error)
{
    struct pp_output output;
    char name[PP_STORE_NAME], *file = join(store->path, pointer, error);
    int status = file ? pp_output_open(&output, file, error) : -1;
    free(file);
    if (status != 0)
        return -1;
    fprintf(output.stream, "%s\n", pp_store_name(step, name));
    return pp_output_commit(&output, error);
}

int pp_store_publish(struct pp_store *store, int step, struct pp_error *error)
{
    char *final = pp_store_folder(store->path, step, error);
    if (!final || pp_folder_sync(store->writing, error) != 0) {
        free(final);
        return -1;
    }
    if (rename(store->writing, final) != 0) {
        fail(final, error);
        free(final);
        return -1;
    }
    free(final);
    free(store->writing);
    store->writing = NULL;
    if (pp_folder_sync(store->path, error) != 0 || point_at(store, step, error) != 0 ||
        pp_folder_sync(store->path, error) != 0)
        return -1;
    prune(store);
    return 0;
}
