#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/words.h"

#define PREFIX "ppsim-"
#define LOCK ".in-use-by-ppsim"

static int no_memory(struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for a file's name");
}

static int open_lock(const char *path, int flags)
{
    char name[PATH_MAX];
    if (!pp_assign(name, sizeof name, "%s/" LOCK, path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

int pp_folder_open_lock(const char *path)
{
    return open_lock(path, 0);
}

bool pp_folder_ownerless(int lock)
{
    return flock(lock, LOCK_EX | LOCK_NB) == 0;
}

/* Removes this user's folders in `parent` whose owners have ended without doing so. */
static void remove_ownerless(const char *parent)
{
    DIR *entries = opendir(parent);
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        struct stat status;
        char path[PATH_MAX];
        if (fnmatch(PREFIX "*.??????", entry->d_name, 0) != 0 ||
            fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
            !pp_assign(path, sizeof path, "%s/%s", parent, entry->d_name))
            continue;
        int lock = pp_folder_open_lock(path);
        if (lock >= 0 && pp_folder_ownerless(lock))
            pp_folder_remove(path);
        if (lock >= 0)
            close(lock);
    }
    if (entries)
        closedir(entries);
}

/* Makes and locks it. In between somebody may have taken it for ownerless: *again. */
static int make_folder(struct pp_folder *folder, bool *again, struct pp_error *error)
{
    struct stat status;
    *again = false;
    if (!mkdtemp(folder->path))
        return pp_fail(error, PP_ENVIRONMENT, "cannot make the directory '%s': %s",
                       folder->path, strerror(errno));
    folder->lock = open_lock(folder->path, O_CREAT | O_EXCL);
    if (folder->lock < 0) {
        pp_fail(error, PP_ENVIRONMENT, "cannot write into '%s': %s", folder->path,
                strerror(errno));
        rmdir(folder->path);
        return -1;
    }
    /* Where the file system has no locks, nobody else gets one either. */
    *again = (flock(folder->lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
             (fstat(folder->lock, &status) == 0 && status.st_nlink == 0);
    if (*again)
        close(folder->lock);
    return 0;
}

int pp_folder_init_in(struct pp_folder *folder, const char *parent, const char *purpose,
                      struct pp_error *error)
{
    bool again = true;
    int status = 0;
    *folder = (struct pp_folder){.lock = -1};
    remove_ownerless(parent);
    while (status == 0 && again) {
        free(folder->path);
        if (asprintf(&folder->path, "%s/" PREFIX "%s.XXXXXX", parent, purpose) < 0) {
            folder->path = NULL;
            return no_memory(error);
        }
        status = make_folder(folder, &again, error);
    }
    if (status == 0)
        return 0;
    free(folder->path);
    folder->path = NULL;
    return -1;
}

int pp_folder_init(struct pp_folder *folder, const char *purpose,
                   struct pp_error *error)
{
    const char *parent = getenv("TMPDIR");
    return pp_folder_init_in(folder, parent && parent[0] ? parent : "/tmp", purpose,
                             error);
}

/* Removes a name in the folder, with its content if it is a folder itself. What cannot
 * be removed stays. No memory is asked for: it may be why the folder goes. */
static void remove_at(int folder, const char *name)
{
    _Alignas(struct dirent64) char entries[4096];
    if (unlinkat(folder, name, 0) == 0)
        return;
    int here = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t length;
    while (here >= 0 && (length = getdents64(here, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < length;) {
            const struct dirent64 *entry = (const void *)(entries + at);
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
                strcmp(entry->d_name, LOCK) != 0)
                remove_at(here, entry->d_name);
            at += entry->d_reclen;
        }
    }
    if (here >= 0) {
        /* Last: what is killed in between can be removed by the next. */
        unlinkat(here, LOCK, 0);
        close(here);
    }
    unlinkat(folder, name, AT_REMOVEDIR);
}

void pp_folder_remove(const char *path)
{
    remove_at(AT_FDCWD, path);
}

int pp_folder_sync(const char *path, struct pp_error *error)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems know no such call, and need none. */
    bool synced = folder >= 0 && (fsync(folder) == 0 || errno == EINVAL);
    int reason = errno;
    if (folder >= 0)
        close(folder);
    if (synced)
        return 0;
    return pp_fail(error, PP_ENVIRONMENT, "cannot write '%s': %s", path,
                   strerror(reason));
}

void pp_folder_release(struct pp_folder *folder)
{
    if (!folder->path)
        return;
    pp_folder_remove(folder->path);
    close(folder->lock);
    free(folder->path);
    *folder = (struct pp_folder){.lock = -1};
}

char *pp_folder_file(const struct pp_folder *folder, const char *name,
                     struct pp_error *error)
{
    char *path;
    if (asprintf(&path, "%s/%s", folder->path, name) >= 0)
        return path;
    no_memory(error);
    return NULL;
}
