/* What the ranks of a ring do once all is set up: rank 0 leads, the others follow. */
#ifndef PP_GENERATE_LEAD_H
#define PP_GENERATE_LEAD_H

#include "generate/roster.h"
#include "generate/worker.h"

/* On rank 0: from the first request to the last. Sets *stopped to the signal that ended
 * it, or 0. PP_WRONG_NUMBERS, PP_ENVIRONMENT; the others' loops have ended all the
 * same.
 */
int pp_lead(const struct pp_roster_config *config, struct pp_worker *worker,
            struct pp_ring *ring, struct pp_source *source, int *stopped,
            struct pp_error *error);

/* On another rank: what comes, until the end of it. */
void pp_follow(struct pp_worker *worker, struct pp_ring *ring);

#endif
