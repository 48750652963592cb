/* The roster: which sequences there are, and what the next batch is of. Rank 0's, and
 * no MPI in it.
 *
 * Sequences have a slot each, and belong to a group. Groups take turns; a turn is at
 * most two batches: one token of each of the group's sequences that has its last token
 * (decode), and as many rows as a chunk has of those whose prompts are not through yet
 * (prefill), in the order in which they joined.
 *
 * What a turn is does not depend on time: before a group's turn all of its tokens have
 * come, and nothing leaves or joins it but at turns. A token that comes early waits for
 * its group's turn. */
#ifndef PP_GENERATE_ROSTER_H
#define PP_GENERATE_ROSTER_H

#include "generate/batch.h"
#include "generate/source.h"

struct pp_roster_config {
    int groups, slots;
    int blocks;    /* of the cache: a sequence joins when those that it may come to need
                    * are left */
    int chunk;     /* rows of a prefill batch, at least 1 */
    int context;   /* positions that a sequence may have in the cache */
    int end_token; /* -1: none */
};

/* A sequence. */
struct pp_sequence {
    uint64_t id;
    bool used;  /* the slot has one */
    bool ended; /* it gets no more batches; it leaves when none is under way */
    int group;
    int blocks;       /* of the cache that are kept for it */
    int32_t *tokens;  /* [context + 1] prompt and what followed; the roster's */
    int prompt_count; /* first so many */
    int length;       /* that are known */
    int fed;          /* that are in the cache or on their way there */
    int under_way;    /* batches */
    int max_tokens, index;
    struct pp_sampling sampling;
};

/* A group. */
struct pp_group {
    int size;      /* sequences */
    int64_t drawn; /* its last batch since its last turn that draws tokens; -1: none */
    int64_t awaited; /* the one that its turn has waited for, until a batch begins with
                      * its tokens; -1: none. They go to one batch at most */
};

struct pp_roster {
    struct pp_roster_config config;
    struct pp_sequence *sequences; /* [slots] */
    struct pp_group *groups;       /* [groups] */
    int32_t *tokens;               /* [slots][context + 1] */
    int32_t *freed;                /* [freed_count] slots, since the batch before */
    int freed_count;
    int *order; /* [count] slots of the sequences as they joined */
    int count;
    int blocks;       /* that are kept for sequences */
    uint64_t batches; /* that were composed */
};

/* PP_ENVIRONMENT when out of memory. */
int pp_roster_init(struct pp_roster *roster, const struct pp_roster_config *config,
                   struct pp_error *error);
void pp_roster_release(struct pp_roster *roster);

/* Blocks that a sequence may come to need. */
int pp_roster_blocks(const struct pp_roster_config *config, int prompt_count,
                     int max_tokens);

/* Is there a free slot? */
bool pp_roster_room(const struct pp_roster *roster);

/* The request's sequence joins the group that has fewest, of equal ones the first;
 * false, and nothing is changed, where no slot or not enough blocks are free. */
bool pp_roster_join(struct pp_roster *roster, const struct pp_request *request);

/* A turn of the group begins, whose tokens have come: those of its sequences that have
 * ended leave, where none of their batches is under way. */
void pp_roster_turn(struct pp_roster *roster, int group);

/* The most parts that a batch may have, and the most slots that it may free. */
int pp_roster_most_parts(const struct pp_roster_config *config);
int pp_roster_most_rows(const struct pp_roster_config *config);

/* Composes the group's batch of the kind: head and parts go into the parcel, its tokens
 * into tokens [most rows]. false: there is nothing to do. */
bool pp_roster_compose(struct pp_roster *roster, int group, bool prefill,
                       struct pp_parcel *parcel, int32_t *tokens);

/* The batch has come back; of its part, that had drawn this token. Returns whether the
 * sequence goes on to be told of, false if it has ended before; then sets *finish, NULL
 * while it goes on. */
bool pp_roster_draw(struct pp_roster *roster, const struct pp_batch_part *part,
                    int32_t token, const char **finish);

/* The batch has come back: after its draws. */
void pp_roster_return(struct pp_roster *roster, const struct pp_batch *batch);

/* The sequence in the slot gets no more batches. */
void pp_roster_end(struct pp_roster *roster, int slot);

#endif
