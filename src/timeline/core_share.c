#include "timeline/core_share.h"

#include <math.h>

double pp_core_share(const struct pp_timeline *timelines, int timeline_count, int rank)
{
    int64_t cpu = 0, passed = 0;
    for (int t = 0; t < timeline_count; t++) {
        const struct pp_timeline *timeline = &timelines[t];
        const size_t *first = timeline->schedule->first;
        if (!timeline->cpu)
            return (double)NAN;
        for (size_t k = first[rank]; k < first[rank + 1]; k++) {
            cpu += timeline->cpu[k].op;
            passed += timeline->spans[k].end - timeline->spans[k].start;
        }
    }
    return passed > 0 ? fmin((double)cpu / (double)passed, 1) : (double)NAN;
}
