/* What a rank holds for its microbatches while it goes through its ops: the one place
 * where a schedule's memory is counted.
 *
 * A microbatch in a stage holds `forward` once F has run, until its B or I has; after
 * an I it holds `weight`, what W needs of activations and gradients, until W has run.
 * While a B or an I runs it also holds `again`, what re-computation brings back. What
 * else an op needs for itself alone is not counted. In decoding F holds `forward` until
 * its own end: no backward comes. As in Zero Bubble Pipeline
 * Parallelism, arXiv 2401.10241, §2: M_B after F, M_W between B (here I) and W. */
#ifndef PP_SCHEDULE_HELD_H
#define PP_SCHEDULE_HELD_H

#include "schedule/schedule.h"

/* In any unit, >= 0; weight may be more than forward. */
struct pp_hold {
    double forward, weight;
    double again[PP_KINDS]; /* of B and I; 0 without re-computation */
};

/* The most that the rank holds at once, F's from its start on. hold [stages], the
 * same of every weight copy, in the unit of the result; exact where the numbers are
 * whole. */
int pp_peak_memory(const struct pp_schedule *schedule, int rank,
                   const struct pp_hold *hold, double *peak, struct pp_error *error);

#endif
