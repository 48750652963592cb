#include "text/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

bool pp_vocabulary_init(struct pp_vocabulary *vocabulary, int count)
{
    size_t slots = 2;
    while (slots < 2 * (size_t)count)
        slots *= 2;
    *vocabulary = (struct pp_vocabulary){.count = count, .mask = slots - 1};
    vocabulary->words = calloc((size_t)count + 1, sizeof *vocabulary->words);
    vocabulary->slots = malloc(slots * sizeof *vocabulary->slots);
    if (!vocabulary->words || !vocabulary->slots) {
        pp_vocabulary_release(vocabulary);
        return false;
    }
    memset(vocabulary->slots, 0xff, slots * sizeof *vocabulary->slots);
    return true;
}

void pp_vocabulary_release(struct pp_vocabulary *vocabulary)
{
    free(vocabulary->words);
    free(vocabulary->bytes);
    free(vocabulary->slots);
    *vocabulary = (struct pp_vocabulary){0};
}

/* The slot that holds the id with these bytes, or else a free one. */
static int32_t *find_slot(const struct pp_vocabulary *vocabulary, const char *bytes,
                          size_t length)
{
    size_t slot = (size_t)pp_digest(bytes, length) & vocabulary->mask;
    for (;; slot = (slot + 1) & vocabulary->mask) {
        int32_t id = vocabulary->slots[slot];
        const struct pp_word *word = &vocabulary->words[id < 0 ? 0 : id];
        if (id < 0 || (word->length == length &&
                       memcmp(vocabulary->bytes + word->at, bytes, length) == 0))
            return &vocabulary->slots[slot];
    }
}

static bool make_room(struct pp_vocabulary *vocabulary, size_t length)
{
    enum { LEAST = 4096 };
    if (vocabulary->room - vocabulary->used >= length)
        return true;
    size_t room = 2 * vocabulary->room + length + LEAST;
    char *bytes = realloc(vocabulary->bytes, room);
    if (!bytes)
        return false;
    vocabulary->bytes = bytes;
    vocabulary->room = room;
    return true;
}

bool pp_vocabulary_set(struct pp_vocabulary *vocabulary, int32_t id, const char *bytes,
                       size_t length, bool added)
{
    if (!make_room(vocabulary, length))
        return false;
    if (!added)
        *find_slot(vocabulary, bytes, length) = id;
    memcpy(vocabulary->bytes + vocabulary->used, bytes, length);
    vocabulary->words[id] = (struct pp_word){vocabulary->used, length, added};
    vocabulary->used += length;
    vocabulary->set++;
    return true;
}

int32_t pp_vocabulary_find(const struct pp_vocabulary *vocabulary, const char *bytes,
                           size_t length)
{
    return *find_slot(vocabulary, bytes, length);
}
