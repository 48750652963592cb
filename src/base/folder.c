#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int no_memory(struct pp_error *error)
{
    return pp_fail(error, PP_ENVIRONMENT, "out of memory for a file's name");
}

int pp_folder_init(struct pp_folder *folder, const char *purpose,
                   struct pp_error *error)
{
    const char *parent = getenv("TMPDIR");
    *folder = (struct pp_folder){0};
    if (!parent || !parent[0])
        parent = "/tmp";
    if (asprintf(&folder->path, "%s/ppsim-%s-XXXXXX", parent, purpose) < 0) {
        folder->path = NULL;
        return no_memory(error);
    }
    if (mkdtemp(folder->path))
        return 0;
    pp_fail(error, PP_ENVIRONMENT, "cannot make the directory '%s': %s", folder->path,
            strerror(errno));
    free(folder->path);
    folder->path = NULL;
    return -1;
}

static int remove_entry(const char *path, const struct stat *status, int type,
                        struct FTW *where)
{
    (void)status, (void)type, (void)where;
    remove(path); /* what cannot be removed stays: go on with the rest */
    return 0;
}

void pp_folder_remove(const char *path)
{
    enum { OPEN_AT_ONCE = 8 };
    nftw(path, remove_entry, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);
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
    if (folder->path)
        pp_folder_remove(folder->path);
    free(folder->path);
    folder->path = NULL;
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
