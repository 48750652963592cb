/* The engine: a model split over the ranks of a world that continues sequences. It
 * takes requests from a source and gives their tokens to it, for ever or until the
 * source has no more.
 *
 * The ranks form a ring, one stage each. Rank 0 composes batches, token-major in turns
 * over groups of sequences (roster.h); a batch goes through all ranks, the last of
 * which draws the tokens, and back to rank 0. While one group's batch is on its way the
 * next group's follows it: so all stages work at once, if there are enough groups.
 *
 * A sequence's tokens depend on the model and its request alone, bit for bit: not on
 * the number of ranks, the split, groups, chunks, or on who shares its batches. */
#ifndef PP_GENERATE_ENGINE_H
#define PP_GENERATE_ENGINE_H

#include "generate/source.h"
#include "run/config.h"
#include "run/environment.h"

struct pp_engine_config {
    const char *model;       /* file or folder, as for pp_weights_open */
    int heads;               /* 0: as the files say */
    const char *layer_split; /* as for pp_partition; auto: by the bytes of weights that
                              * a token needs, the head's with them */
    /* Of these rank 0's count. */
    int groups;        /* 0: chosen from what stages and hops take (groups.h) */
    int slots;         /* sequences under way at once, at least 1 */
    int prefill_chunk; /* rows of a batch of prompts, at least 1 */
    int blocks;        /* of the cache: at least one a slot, and those that any request
                        * may come to need (pp_roster_blocks), or that request is never
                        * begun; 0, or more than that:
                        * the whole context for every slot */
    int end_token;     /* -1: none */
    /* The same on every rank, as those above. */
    enum pp_clock_choice clock;
    double link_latency_s, link_bandwidth; /* NaN: measured */
    bool reads; /* measures how fast ranks can read, which takes a part of a second */
};

struct pp_engine_result {
    bool leads;                  /* this is rank 0 */
    struct pp_engine_info info;  /* on rank 0; until it is released */
    struct pp_engine_rank *rank; /* [info.ranks] owned */
    struct pp_run_environment environment;
    int stopped; /* SIGINT or SIGTERM where it ended by that; 0 */
};

/* The most that a batch of the decoder's products, and a slot's blocks, allow for. */
enum { PP_MOST_SLOTS = 1024, PP_MOST_CHUNK = 4096 };

/* Collective, between pp_world_enter and pp_world_leave (run/launch.h). source: rank
 * 0's, and of no one else. Returns when the source has ended and all of its sequences
 * with it, or a rank was told to stop (run/stop.h): then what is under way comes to its
 * end, and no more is begun. PP_BAD_INPUT where the model cannot be read or split,
 * PP_WRONG_NUMBERS where a logit is not finite, PP_ENVIRONMENT. The result is to be
 * released either way. */
int pp_engine_run(const struct pp_engine_config *config, struct pp_source *source,
                  struct pp_engine_result *result, struct pp_error *error);
void pp_engine_result_release(struct pp_engine_result *result);

#endif
