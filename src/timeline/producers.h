/* Which op released what another one waits for. */
#ifndef PP_TIMELINE_PRODUCERS_H
#define PP_TIMELINE_PRODUCERS_H

#include "timeline/timeline.h"

enum { PP_NO_OP = -1 };

struct pp_producers {
    const struct pp_schedule *schedule; /* borrowed */
    int64_t *released_by; /* [2][stages][microbatches] index of the op that released
                           * the output, F's then B's and I's; owned */
};

/* PP_ENVIRONMENT when out of memory. The schedule must have passed pp_verify. */
int pp_producers_init(struct pp_producers *producers,
                      const struct pp_schedule *schedule, struct pp_error *error);
void pp_producers_release(struct pp_producers *producers);

/* The index of the op on whose output, from another stage, the k-th op waits;
 * PP_NO_OP where it needs none. */
int64_t pp_producer_of(const struct pp_producers *producers, int64_t k);

/* The op at whose end the k-th op's output is released: itself, or the second of its
 * joined pair. */
int64_t pp_release_of(const struct pp_schedule *schedule, int64_t k);

/* Sets ready of every op: the end at which its input was released, or the time at which
 * it arrived if the clocks of two hosts, a little apart, put that before. Where an op
 * needs no input, ready is arrived. spans: of one step, as in struct pp_timeline. */
void pp_producers_set_ready(const struct pp_producers *producers,
                            struct pp_span *spans);

/* The rank that executes the k-th op. */
int pp_rank_of_op(const struct pp_schedule *schedule, int64_t k);

#endif
