#include "text/merges.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"

bool pp_merges_init(struct pp_merges *merges, int most)
{
    size_t slots = 2;
    while (slots < 2 * (size_t)most)
        slots *= 2;
    *merges = (struct pp_merges){.mask = slots - 1};
    merges->list = malloc(((size_t)most + 1) * sizeof *merges->list);
    merges->slots = malloc(slots * sizeof *merges->slots);
    if (!merges->list || !merges->slots) {
        pp_merges_release(merges);
        return false;
    }
    memset(merges->slots, 0xff, slots * sizeof *merges->slots);
    return true;
}

void pp_merges_release(struct pp_merges *merges)
{
    free(merges->list);
    free(merges->slots);
    *merges = (struct pp_merges){0};
}

/* The slot that holds the rank of the pair, or else a free one. */
static int32_t *find_slot(const struct pp_merges *merges, int32_t left, int32_t right)
{
    uint64_t pair = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t slot = (size_t)pp_mix(pair) & merges->mask;
    for (;; slot = (slot + 1) & merges->mask) {
        int32_t rank = merges->slots[slot];
        if (rank < 0 ||
            (merges->list[rank].left == left && merges->list[rank].right == right))
            return &merges->slots[slot];
    }
}

bool pp_merges_add(struct pp_merges *merges, struct pp_merge merge)
{
    int32_t *slot = find_slot(merges, merge.left, merge.right);
    if (*slot >= 0)
        return false;
    *slot = merges->count;
    merges->list[merges->count++] = merge;
    return true;
}

enum { NONE = -1 };

/* A token that is left, in a list from left to right. */
struct pp_place {
    int32_t token;
    int32_t rank; /* of the merge with the next one; NONE */
    int32_t left, right;
};

/* A merge that may be done: its rank, and the place of its left token. The least one is
 * the next to be done. Where a neighbour was merged meanwhile, the place has another
 * rank, and nothing is to be done. */
static uint64_t possible(int32_t rank, int32_t place)
{
    return (uint64_t)(uint32_t)rank << 32 | (uint32_t)place;
}

/* Of count tokens there are count - 1 pairs at first, and at most two more for each
 * merge, of which there are at most count - 1. */
bool pp_bench_reserve(struct pp_bench *bench, size_t tokens)
{
    enum { LEAST = 64 };
    if (tokens <= bench->room && bench->room > 0)
        return true;
    size_t room = tokens + tokens / 2 + LEAST;
    pp_bench_release(bench);
    bench->places = malloc(room * sizeof *bench->places);
    bench->heap = malloc(3 * room * sizeof *bench->heap);
    if (!bench->places || !bench->heap) {
        pp_bench_release(bench);
        return false;
    }
    bench->room = room;
    return true;
}

void pp_bench_release(struct pp_bench *bench)
{
    free(bench->places);
    free(bench->heap);
    *bench = (struct pp_bench){0};
}

static void push(uint64_t *heap, size_t *size, uint64_t value)
{
    size_t at = (*size)++;
    while (at > 0 && heap[(at - 1) / 2] > value) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = value;
}

static uint64_t pop(uint64_t *heap, size_t *size)
{
    uint64_t least = heap[0], last = heap[--*size];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < *size) {
        child += child + 1 < *size && heap[child + 1] < heap[child];
        if (heap[child] >= last)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return least;
}

/* Sees whether the token at a place, unless that is NONE, merges with the next one. */
static void look(const struct pp_merges *merges, struct pp_bench *bench, size_t *size,
                 int32_t place)
{
    if (place == NONE)
        return;
    struct pp_place *at = &bench->places[place];
    at->rank = NONE;
    if (at->right != NONE)
        at->rank = *find_slot(merges, at->token, bench->places[at->right].token);
    if (at->rank != NONE)
        push(bench->heap, size, possible(at->rank, place));
}

/* The token at this place takes the next one in. */
static void join(const struct pp_merges *merges, struct pp_bench *bench, int32_t place)
{
    struct pp_place *left = &bench->places[place], *gone = &bench->places[left->right];
    left->token = merges->list[left->rank].result;
    left->right = gone->right;
    gone->rank = NONE;
    if (gone->right != NONE)
        bench->places[gone->right].left = place;
}

size_t pp_merges_apply(const struct pp_merges *merges, struct pp_bench *bench,
                       int32_t *tokens, size_t count)
{
    struct pp_place *places = bench->places;
    size_t size = 0, left = 0;
    for (size_t i = 0; i < count; i++)
        places[i] = (struct pp_place){.token = tokens[i],
                                      .left = (int32_t)i - 1,
                                      .right = i + 1 < count ? (int32_t)i + 1 : NONE};
    for (size_t i = 0; i < count; i++)
        look(merges, bench, &size, (int32_t)i);
    while (size > 0) {
        uint64_t next = pop(bench->heap, &size);
        int32_t place = (int32_t)(next & UINT32_MAX);
        if (places[place].rank != (int32_t)(next >> 32))
            continue;
        join(merges, bench, place);
        look(merges, bench, &size, places[place].left);
        look(merges, bench, &size, place);
    }
    for (int32_t place = 0; place != NONE; place = places[place].right)
        tokens[left++] = places[place].token;
    return left;
}
