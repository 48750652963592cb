/* What an op waited for. */
#ifndef PP_TIMELINE_WAIT_H
#define PP_TIMELINE_WAIT_H

#include "timeline/timeline.h"

/* The gap before an op, in ns: until its input was produced, until that had arrived,
 * until the op started. They sum to its start - from. */
struct pp_wait {
    int64_t dependency, communication, overhead;
    size_t input; /* the op whose input came last: the op, or the second of its pair */
};

static inline int64_t pp_clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* The wait of the k-th op, whose rank was free from then on, from <= its start. What of
 * its input came earlier was hidden behind the op before. A joined pair waits for the
 * inputs of both. */
static inline struct pp_wait pp_wait_before(const struct pp_timeline *timeline,
                                            size_t k, int64_t from)
{
    const struct pp_span *spans = timeline->spans;
    size_t last = k;
    if (timeline->schedule->ops[k].joined && spans[k + 1].arrived > spans[k].arrived)
        last = k + 1;
    int64_t start = spans[k].start;
    int64_t ready = pp_clamp(spans[last].ready, from, start);
    int64_t arrived = pp_clamp(spans[last].arrived, ready, start);
    return (struct pp_wait){ready - from, arrived - ready, start - arrived, last};
}

#endif
