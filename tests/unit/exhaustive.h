/* The best order of one stage per rank, by trying them all: an independent yardstick
 * for the search, for a few ranks and microbatches. */
#ifndef PP_TESTS_EXHAUSTIVE_H
#define PP_TESTS_EXHAUSTIVE_H

#include <stdbool.h>
#include <stdint.h>

enum { PP_MOST_TRIED_RANKS = 4, PP_MOST_TRIED_MICROBATCHES = 5 };

/* Times in any unit, the same of every rank but for its factor. A microbatch holds
 * `held` from the start of F to the end of I, then `kept` to the end of W. */
struct pp_exhaustive {
    int ranks, microbatches;
    int64_t forward, input, weight, hop;
    int64_t factor[PP_MOST_TRIED_RANKS];
    int64_t held, kept, limit;
    bool by_span; /* the longest span of a rank; else the makespan */
};

/* The least objective below `below`; `below` if there is none. Each rank's ops of a
 * kind run in ascending microbatch order. */
int64_t pp_exhaustive(const struct pp_exhaustive *asked, int64_t below);

#endif
