/* The tables of a byte-level BPE, and building them from what files say, which is
 * checked: whoever reads a file sets its path, and, as it goes on, the place. */
#ifndef PP_TEXT_BPE_H
#define PP_TEXT_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "text/merges.h"
#include "text/vocabulary.h"

#define PP_TEXT_END "<|endoftext|>"

struct pp_bpe {
    struct pp_vocabulary vocabulary;
    struct pp_merges merges;
    int32_t of_byte[256];
    int32_t end; /* the token that ends a text; -1: there is none */
};

/* Its tokens are the bytes, by value; it has no merges and no end. PP_ENVIRONMENT. */
int pp_bpe_init_bytes(struct pp_bpe *bpe, struct pp_error *error);
void pp_bpe_release(struct pp_bpe *bpe);

struct pp_bpe_builder {
    struct pp_bpe *bpe;
    const char *path;
    char place[48];    /* in the file: "line 7" */
    bool numbers;      /* the merges make ids, in their order */
    char *room;        /* for a name's bytes */
    size_t room_bytes; /* of a name or two */
};

/* A part of a file; not ended by a 0. */
struct pp_slice {
    const char *text;
    size_t length;
};

/* All fill an error of one line with PP_BAD_INPUT, or PP_ENVIRONMENT: no memory. First,
 * for ids 0 to count - 1 and at most so many merges; */
int pp_bpe_begin(struct pp_bpe_builder *builder, size_t count, size_t merges,
                 struct pp_error *error);
/* Then the tokens: an id and a name, which is the text itself where the token is added,
 * or where it is not of symbols; */
int pp_bpe_name(struct pp_bpe_builder *builder, int64_t id, struct pp_slice name,
                bool added, struct pp_error *error);
/* or the bytes in GPT-2's order, then what each merge makes, and the end. */
int pp_bpe_number(struct pp_bpe_builder *builder, struct pp_error *error);
/* Then the merges, by the names of their parts. */
int pp_bpe_merge(struct pp_bpe_builder *builder, struct pp_slice left,
                 struct pp_slice right, struct pp_error *error);
/* At last, and in any case: status is whether all went well before. Returns it, or -1
 * where something is missing; the tables are released then. */
int pp_bpe_end(struct pp_bpe_builder *builder, int status, struct pp_error *error);

#endif
