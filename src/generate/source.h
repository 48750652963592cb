/* Where requests come from and where their tokens go. The engine (engine.h) knows no
 * more of its users than this: prompts of a command line, or an HTTP server's link.
 *
 * All of it is called on rank 0 alone, by its one thread, between batches: what takes
 * long delays every sequence. */
#ifndef PP_GENERATE_SOURCE_H
#define PP_GENERATE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "generate/sampler.h"
#include "timeline/timeline.h"

/* One sequence to be continued. */
struct pp_request {
    uint64_t id;           /* the source's own; of sequences under way no two alike */
    const int32_t *prompt; /* [prompt_count] borrowed until next is asked again */
    int prompt_count;      /* 1 .. the model's context; tokens below its vocabulary */
    int max_tokens;        /* at least 1; fewer come where the context ends */
    int index;             /* of the sequence among those of the user's request */
    struct pp_sampling sampling;
};

/* A piece of a sequence in a batch: `count` tokens of it from `position` on. */
struct pp_batch_piece {
    uint64_t id;
    int position, count;
};

/* A batch that has been through all ranks: a microbatch of what is executed. */
struct pp_batch_trace {
    uint64_t number; /* from 0, in the order in which they were composed, and return */
    bool prefill;    /* pieces of prompts; else the last token of each sequence */
    int group;       /* whose turn it was */
    int64_t after;   /* number of the batch whose tokens it needed; -1: none */
    int rows;        /* tokens, the pieces' counts together */
    int piece_count, ranks;
    const struct pp_batch_piece *pieces; /* [piece_count] borrowed, as the next one */
    const struct pp_span *spans;         /* [ranks] ns on the engine's clock, whose 0 is
                                          * shortly before the engine was ready */
};

/* How fast a rank can read plainly, in bytes per second of its clock. */
struct pp_reading {
    double weights; /* all of its weights: from the caches, as in decoding, where they
                     * fit them */
    double memory;  /* an array beyond the caches; NaN: there was too little memory to
                     * spare for it */
    bool cached;    /* what each batch reads of the weights fits the last cache */
};

/* A rank of an engine that is ready. */
struct pp_engine_rank {
    int first_layer, layers;
    int64_t parameter_bytes, kv_cache_bytes;
    int64_t token_bytes;       /* of the parameters, those that each batch reads: the
                                * matrices, and of wte only the head's */
    struct pp_reading reading; /* 0 where that was not measured */
    double rows_s[2]; /* what its stage took at the start for one row and for as many
                       * as there are slots; NaN: it was not asked */
    char cpuset[256]; /* as hwloc lists it */
    char host[64];
    int64_t pid; /* its process on that host */
};

/* What an engine that is ready is. */
struct pp_engine_info {
    int ranks, groups, slots, prefill_chunk;
    int layers, d_model, heads, vocab, context; /* context: the most tokens of a
                                                 * sequence, prompt included */
    const char *clock;                          /* "wall" or "virtual" */
    const struct pp_engine_rank *rank;          /* [ranks] borrowed */
};

struct pp_source {
    void *data;

    /* The weights are loaded: requests may come. NULL: not of interest. */
    void (*ready)(void *data, const struct pp_engine_info *info);

    /* 1: here is a request; 0: none now; -1: none ever more (those under way are
     * finished, then the engine ends). Asked between batches while there is a free
     * slot. idle: nothing is under way, so that it may sleep until there is something
     * to do, for up to a tenth of a second; it is to return early when a signal comes.
     */
    int (*next)(void *data, bool idle, struct pp_request *request);

    /* Is the sequence to leave? Asked of each between its batches; where the answer is
     * true it has left: its slot is free and nothing more is said of it. NULL: never.
     */
    bool (*cancelled)(void *data, uint64_t id);

    /* The sequence's next token. last: nothing more is said of the sequence, and finish
     * says why: "length" (max_tokens, or the context is full) or "end" (the model's end
     * token, which is then this token and no text); else finish is NULL. True: the
     * sequence is to stop here, and has left (its finish is the source's: "stop"). */
    bool (*token)(void *data, uint64_t id, int32_t token, bool last,
                  const char *finish);

    /* A batch has returned, after its tokens were given. NULL: not of interest. */
    void (*batch)(void *data, const struct pp_batch_trace *trace);
};

#endif
