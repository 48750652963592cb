/* What comes out of a run. */
#ifndef PP_RUN_RESULT_H
#define PP_RUN_RESULT_H

#include "model/losses.h"
#include "run/config.h"
#include "run/environment.h"
#include "timeline/timeline.h"

struct pp_run_rank {
    int peak_in_flight;            /* (stage, microbatch) pairs, as the pools counted */
    int64_t peak_activation_bytes; /* held between ops: see run/memory.h */
    int64_t parameter_bytes, gradient_bytes, optimizer_bytes;
    char cpuset[256];
};

/* What came out. On ranks other than 0 only leads, environment and those of the
 * training are set. */
struct pp_run_result {
    bool leads; /* this is rank 0: it alone reports */

    struct pp_timeline
        *timelines;     /* [timeline_count] the measured steps, or the last of a
                         * run that is stopped in its warm-up; the caller
                         * may take the spans over (and set them NULL) */
    int *numbers;       /* [timeline_count] of the steps, from 1 */
    int64_t *durations; /* [timeline_count] ns, optimizer included */
    int timeline_count;
    double *losses; /* [steps] those before resumed_from are the checkpoint's */
    struct pp_evaluation *evaluations; /* [evaluation_count] likewise */
    int evaluation_count;
    int steps;   /* trained, those before resumed_from too */
    int stopped; /* by this signal, SIGINT or SIGTERM, before all that was asked
                  * for was done; 0 */
    struct pp_error fault; /* a checkpoint, which ended the training, or the parameters
                            * could not be written; {0}: they were */
    int resumed_from;      /* the step of the checkpoint; 0: training began anew */
    double entropy_floor;
    char digest[32];
    int verified;               /* 1 yes, 0 no, -1 not asked */
    struct pp_error difference; /* what --verify found, where verified is 0 */
    struct pp_run_rank *ranks;  /* [ranks] */

    struct pp_run_environment environment;
};

#endif
