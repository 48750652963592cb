#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/input.h"
#include "base/random.h"

/* Goes on with these bytes: whole words, or the end. */
static uint64_t mix_in(uint64_t digest, const unsigned char *at, size_t size)
{
    uint64_t word;
    for (; size >= sizeof word; at += sizeof word, size -= sizeof word) {
        memcpy(&word, at, sizeof word);
        digest = pp_mix(digest ^ word);
    }
    word = 0;
    memcpy(&word, at, size);
    return size > 0 ? pp_mix(digest ^ word) : digest;
}

uint64_t pp_digest(const void *bytes, size_t size)
{
    return mix_in(pp_mix(size), bytes, size);
}

int pp_digest_file(const char *path, uint64_t *size, uint64_t *digest,
                   struct pp_error *error)
{
    unsigned char piece[1 << 16];
    struct pp_input input;
    if (pp_input_open(&input, path, error) != 0)
        return -1;
    int status = 0;
    *size = input.size;
    *digest = pp_mix(input.size);
    for (size_t at = 0; at < input.size && status == 0; at += sizeof piece) {
        size_t left = input.size - at;
        size_t bytes = left < sizeof piece ? left : sizeof piece;
        status = pp_input_read(&input, at, piece, bytes, error);
        if (status == 0)
            *digest = mix_in(*digest, piece, bytes);
    }
    pp_input_close(&input);
    return status;
}

const char *pp_digest_text(uint64_t digest, char text[PP_DIGEST_TEXT])
{
    snprintf(text, PP_DIGEST_TEXT, "%016" PRIx64, digest);
    return text;
}
