/* Which pairs of tokens become one, in order of preference; and doing it. */
#ifndef PP_TEXT_MERGES_H
#define PP_TEXT_MERGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pp_merge {
    int32_t left, right, result; /* tokens */
};

struct pp_merges {
    int count;
    struct pp_merge *list; /* first preferred; its indices are ranks */
    int32_t *slots;        /* ranks by the hash of the pair; -1: free */
    size_t mask;           /* how many slots, less 1 */
};

/* For at most so many merges; of none. Returns whether there is memory. */
bool pp_merges_init(struct pp_merges *merges, int most);
void pp_merges_release(struct pp_merges *merges);

/* Appends one. Returns whether its pair is new. */
bool pp_merges_add(struct pp_merges *merges, struct pp_merge merge);

/* What a piece needs while it is merged; made once, used for one after the other. */
struct pp_bench {
    size_t room;
    struct pp_place *places;
    uint64_t *heap;
};

/* All zero is an empty one. Returns whether there is memory for pieces of so many
 * tokens, at most INT_MAX. */
bool pp_bench_reserve(struct pp_bench *bench, size_t tokens);
void pp_bench_release(struct pp_bench *bench);

/* Merges count >= 1 tokens in place, for which there is room on the bench; returns how
 * many are left. In order of count * log(count) steps. */
size_t pp_merges_apply(const struct pp_merges *merges, struct pp_bench *bench,
                       int32_t *tokens, size_t count);

#endif
