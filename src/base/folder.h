/* Folders: a temporary one, which is removed with all that was written there; and what
 * is done with any. */
#ifndef PP_BASE_FOLDER_H
#define PP_BASE_FOLDER_H

#include "base/error.h"

struct pp_folder {
    char *path; /* NULL where there is none */
};

/* Makes $TMPDIR/ppsim-PURPOSE-XXXXXX, or in /tmp where TMPDIR is not set, for this user
 * alone. PP_ENVIRONMENT. */
int pp_folder_init(struct pp_folder *folder, const char *purpose,
                   struct pp_error *error);
/* Removes it with its content. */
void pp_folder_release(struct pp_folder *folder);

/* The path of a file of that name in it, for the caller to free; NULL with the error
 * set when out of memory. */
char *pp_folder_file(const struct pp_folder *folder, const char *name,
                     struct pp_error *error);

/* Removes a folder with its content, as far as that can be done. */
void pp_folder_remove(const char *path);

/* Waits until the names in the folder are on disk. PP_ENVIRONMENT. */
int pp_folder_sync(const char *path, struct pp_error *error);

#endif
