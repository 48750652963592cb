/* A digest of bytes, to find damage by: 64 bits, quick, no protection against forgery.
 */
#ifndef PP_BASE_DIGEST_H
#define PP_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

uint64_t pp_digest(const void *bytes, size_t size);

/* Of a whole file, and its size in bytes. PP_BAD_INPUT if it cannot be read, or is
 * empty. */
int pp_digest_file(const char *path, uint64_t *size, uint64_t *digest,
                   struct pp_error *error);

/* 16 hex digits, as files and reports hold it. Returns text. */
enum { PP_DIGEST_TEXT = 17 };
const char *pp_digest_text(uint64_t digest, char text[PP_DIGEST_TEXT]);

#endif
