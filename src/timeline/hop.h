/* What a message took, as the timelines show it. */
#ifndef PP_TIMELINE_HOP_H
#define PP_TIMELINE_HOP_H

#include "timeline/timeline.h"

/* The median hop in ns, from the end of the op that sent to the arrival, over the
 * messages of all timelines whose receiver was waiting for them before they left, and
 * had its core meanwhile (PP_OWN_CORE of it, core_share.h): a rank that is busy, or off
 * its core, looks late, and then a hop says how late. NaN if there is no such message,
 * or CPU times are not counted. PP_ENVIRONMENT when out of memory. */
int pp_median_hop(const struct pp_timeline *timelines, int timeline_count, double *ns,
                  struct pp_error *error);

/* Makes a hop of so many bytes take ns: the bandwidth, in bytes per second, stays and
 * the latency is the rest; where the bytes alone would take longer, there is no
 * latency, and the bandwidth follows. */
void pp_fit_hop(double ns, double bytes, double *latency_s, double *bandwidth);

#endif
