#include "base/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void pp_folder_release(struct pp_folder *folder)
{
    enum { OPEN_AT_ONCE = 8 };
    if (folder->path)
        nftw(folder->path, remove_entry, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);
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
