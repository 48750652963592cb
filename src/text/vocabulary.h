/* The tokens by id, and the ids by bytes. */
#ifndef PP_TEXT_VOCABULARY_H
#define PP_TEXT_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pp_word {
    size_t at, length; /* in bytes; length 0: the id is free */
    bool added;        /* not of symbols: no merge makes it, pp_vocabulary_find does not
                        * find it */
};

struct pp_vocabulary {
    int count; /* ids are 0 to count - 1 */
    int set;   /* how many of them are */
    struct pp_word *words;
    char *bytes;
    size_t used, room;
    int32_t *slots; /* ids by the hash of their bytes; -1: free */
    size_t mask;    /* how many slots, less 1 */
};

/* For ids 0 to count - 1, all free. Returns whether there is memory. */
bool pp_vocabulary_init(struct pp_vocabulary *vocabulary, int count);
void pp_vocabulary_release(struct pp_vocabulary *vocabulary);

/* Takes an id that is free; the bytes, of which there is at least one, are copied. None
 * that is not added may have the bytes of another. Returns whether there is memory. */
bool pp_vocabulary_set(struct pp_vocabulary *vocabulary, int32_t id, const char *bytes,
                       size_t length, bool added);

/* The id with these bytes that is not added; -1: none. */
int32_t pp_vocabulary_find(const struct pp_vocabulary *vocabulary, const char *bytes,
                           size_t length);

#endif
