/* Files read through a mapping. */
#ifndef PP_BASE_MAPPED_H
#define PP_BASE_MAPPED_H

#include <stddef.h>

#include "base/error.h"

/* Maps the whole file for reading; *size is in bytes, at least 1. PP_BAD_INPUT names
 * the path where it cannot be read, is not a regular file, or is empty. */
int pp_map_file(const char *path, const unsigned char **bytes, size_t *size,
                struct pp_error *error);
/* NULL does nothing. */
void pp_unmap_file(const unsigned char *bytes, size_t size);

#endif
