#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mapped.h"
#include "base/random.h"

uint64_t pp_digest(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t digest = pp_mix(size), word;
    for (; size >= sizeof word; at += sizeof word, size -= sizeof word) {
        memcpy(&word, at, sizeof word);
        digest = pp_mix(digest ^ word);
    }
    word = 0;
    memcpy(&word, at, size);
    return size > 0 ? pp_mix(digest ^ word) : digest;
}

int pp_digest_file(const char *path, uint64_t *size, uint64_t *digest,
                   struct pp_error *error)
{
    const unsigned char *bytes;
    size_t count;
    if (pp_map_file(path, &bytes, &count, error) != 0)
        return -1;
    *size = count;
    *digest = pp_digest(bytes, count);
    pp_unmap_file(bytes, count);
    return 0;
}

const char *pp_digest_text(uint64_t digest, char text[PP_DIGEST_TEXT])
{
    snprintf(text, PP_DIGEST_TEXT, "%016" PRIx64, digest);
    return text;
}
