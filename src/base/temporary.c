#include "base/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".ppsim-"

/* Its name still leads to this very file. */
static bool is_entry(int directory, const char *name, int fd)
{
    struct stat entry, file;
    return fstatat(directory, name, &entry, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &file) == 0 && entry.st_dev == file.st_dev &&
           entry.st_ino == file.st_ino;
}

static void remove_ownerless(int directory, const char *name)
{
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode) || status.st_uid != geteuid())
        return;
    /* For writing, since over NFS nothing else can be locked. */
    int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    /* While it waited to be locked its writer may have renamed it. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_entry(directory, name, fd))
        unlinkat(directory, name, 0);
    close(fd);
}

void pp_temporary_sweep(const char *directory)
{
    DIR *entries = opendir(directory[0] ? directory : ".");
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        if (fnmatch(PREFIX "??????", entry->d_name, FNM_PERIOD) == 0)
            remove_ownerless(dirfd(entries), entry->d_name);
    }
    if (entries)
        closedir(entries);
}

/* Between its making and its locking somebody may have taken it for ownerless. */
static bool is_taken(int fd)
{
    struct stat status;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK; /* or there are no locks, for nobody */
    return fstat(fd, &status) == 0 && status.st_nlink == 0;
}

int pp_temporary_open(const char *directory, char **path)
{
    pp_temporary_sweep(directory);
    for (;;) {
        if (asprintf(path, "%s" PREFIX "XXXXXX", directory) < 0) {
            *path = NULL;
            errno = ENOMEM;
            return -1;
        }
        int fd = mkostemp(*path, O_CLOEXEC), reason = errno;
        if (fd >= 0 && !is_taken(fd))
            return fd;
        free(*path);
        *path = NULL;
        if (fd < 0) {
            errno = reason;
            return -1;
        }
        close(fd);
    }
}
