/* Folders: a temporary one, which is removed with all that was written there; and what
 * is done with any.
 *
 * Whoever has a temporary folder holds a lock (flock) on a file in it, which ends with
 * the process, however that ends. So where that file can be locked, the folder is of
 * nobody: whoever makes the next one beside it removes it. */
#ifndef PP_BASE_FOLDER_H
#define PP_BASE_FOLDER_H

#include <stdbool.h>

#include "base/error.h"

struct pp_folder {
    char *path; /* NULL where there is none */
    int lock;   /* the file in it, opened and locked */
};

/* Makes $TMPDIR/ppsim-PURPOSE.XXXXXX, or in /tmp where TMPDIR is not set, for this user
 * alone. PP_ENVIRONMENT. */
int pp_folder_init(struct pp_folder *folder, const char *purpose,
                   struct pp_error *error);
/* The same in the folder `parent`. */
int pp_folder_init_in(struct pp_folder *folder, const char *parent, const char *purpose,
                      struct pp_error *error);
/* Removes it with its content. */
void pp_folder_release(struct pp_folder *folder);

/* The path of a file of that name in it, for the caller to free; NULL with the error
 * set when out of memory. */
char *pp_folder_file(const struct pp_folder *folder, const char *name,
                     struct pp_error *error);

/* Has the owner of the temporary folder at path ended? lock: its file, opened as
 * pp_folder_open_lock does, -1 where that fails: there is no such folder. */
int pp_folder_open_lock(const char *path);
bool pp_folder_ownerless(int lock);

/* Removes a folder with its content, as far as that can be done. */
void pp_folder_remove(const char *path);

/* Waits until the names in the folder are on disk. PP_ENVIRONMENT. */
int pp_folder_sync(const char *path, struct pp_error *error);

#endif
