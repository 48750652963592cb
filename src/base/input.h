/* Files that are read. They are not mapped: where somebody cuts a mapped file short,
 * the system kills whoever reads on. */
#ifndef PP_BASE_INPUT_H
#define PP_BASE_INPUT_H

#include <stddef.h>

#include "base/error.h"

struct pp_input {
    char *path; /* NULL: not open */
    int fd;
    size_t size; /* bytes, at least 1, when it was opened */
};

/* PP_BAD_INPUT names the path where it cannot be read, is not a regular file, or is
 * empty. */
int pp_input_open(struct pp_input *input, const char *path, struct pp_error *error);
/* Does nothing where it is not open. */
void pp_input_close(struct pp_input *input);

/* Reads so many bytes from offset `at`. PP_ENVIRONMENT names the path where that fails:
 * the disk does, or the file has become shorter. */
int pp_input_read(const struct pp_input *input, size_t at, void *into, size_t bytes,
                  struct pp_error *error);

/* Opens, reads the whole file, to be freed, and closes. */
int pp_input_whole(const char *path, char **bytes, size_t *size,
                   struct pp_error *error);

#endif
