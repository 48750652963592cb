/* Files under a temporary name, beside those that they become.
 *
 * Whoever writes one holds a lock (flock) on it, which ends with the process, however
 * that ends. So one that can be locked is of nobody: whoever makes the next one in that
 * directory removes it. Where the file system has no locks, it stays. */
#ifndef PP_BASE_TEMPORARY_H
#define PP_BASE_TEMPORARY_H

/* Creates one in the directory, which ends with a slash, or is "" for the working
 * directory. Returns the descriptor that holds the lock: to be closed after the file
 * has been renamed or removed, and not before. *path is to be freed. Returns -1 with
 * errno set. */
int pp_temporary_open(const char *directory, char **path);

/* Removes those in the directory, of this user, whose writers have ended. */
void pp_temporary_sweep(const char *directory);

#endif
