/* A proven lower bound: no order of a shape's ops within the memory limit has a smaller
 * objective. Why, with t for the time and c for the delays of messages:
 *
 * 1. Heads. A rank's first op is the F of the first microbatch on its first stage, so
 * it starts at its head, the F and delays of the stages before.
 * 2. Work. From its head on a rank does all its ops.
 * 3. The first I. On rank r no I can start before the first microbatch has been through
 *    all stages and back to r's last one. Until then r can only do F, and of them no
 *    more than it may hold; for the rest of that time it is idle. (Where all its F fit,
 *    this adds to 2 alone.)
 * 4. The last F. When a rank starts its last F it must have room for it: of all its F
 *    but those that the limit leaves room for, as much must have been released. I
 *    releases what is not kept for W, W the rest, and each takes its time; the cheapest
 *    way to release that much is a continuous knapsack. So the last F of rank r ends at
 *    its head + the idle time of 3 + all its F + the time to release. Then its
 *    microbatch still has to go through the stages behind, back through all, and on the
 *    first stage of any rank q end with W: that bounds q's end.
 * 5. The last I. Likewise rank r's last I ends at its head + the idle time of 3 + all
 *    its F and I, then its microbatch goes back down to the first stages of the ranks
 *    before, each of which ends with W.
 * 6. Room. A microbatch holds its memory on a stage at least while it goes from there
 *    to the last stage and back, then what is kept for W as long as W takes. All
 *    microbatches' memory times time fits into the limit times a rank's span.
 *
 * Where B takes less than I and W, it counts instead; then I may end as early as the
 * shorter of I and B. */
#ifndef PP_SEARCH_BOUND_H
#define PP_SEARCH_BOUND_H

#include "search/problem.h"

/* The objective's bound, in ns. */
int64_t pp_bound(const struct pp_problem *problem);

#endif
