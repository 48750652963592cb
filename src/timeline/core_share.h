/* How much of its core a rank had. */
#ifndef PP_TIMELINE_CORE_SHARE_H
#define PP_TIMELINE_CORE_SHARE_H

#include "timeline/timeline.h"

/* Below this share others had the core too, and what a rank's times say of its schedule
 * is doubtful. A tenth is well above what clocks, interrupts and page faults take, and
 * well below what a second program on the core would: half. */
#define PP_OWN_CORE 0.9

/* CPU time of the rank's ops / the time that passed in them, over all timelines, at
 * most 1. NaN where it is not counted, or the rank has no ops. */
double pp_core_share(const struct pp_timeline *timelines, int timeline_count, int rank);

#endif
