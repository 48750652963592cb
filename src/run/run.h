/* The run: real training of a model across MPI ranks under a schedule. No MPI types
 * here: the command line sees what goes in and what comes out. */
#ifndef PP_RUN_RUN_H
#define PP_RUN_RUN_H

#include "model/config.h"
#include "model/optimizer.h"
#include "timeline/timeline.h"

enum pp_clock_choice { PP_CHOOSE_AUTO, PP_CHOOSE_WALL, PP_CHOOSE_VIRTUAL };

/* What rank 0 tells after each step. */
struct pp_progress {
    int step;          /* from 1 */
    double loss;       /* nats per token */
    double duration_s; /* of the step, optimizer included */
    double makespan_s; /* of its compute ops */
};

struct pp_run_config {
    const struct pp_schedule *schedule; /* verified */
    struct pp_model_config model;
    const int *layers_of; /* [stages] as from pp_partition */
    struct pp_optimizer optimizer;
    double clip_norm; /* global norm that gradients are clipped to; 0: not clipped */
    uint64_t seed;
    int steps, warmup_steps;
    const char *data, *load, *save, *save_grads; /* paths, NULL where not given */
    enum pp_clock_choice clock;
    double link_latency_s, link_bandwidth; /* NaN: measured */
    int threads;                           /* BLAS threads per rank */
    bool verify;                           /* against the sequential run, bit by bit */
    void (*on_step)(void *data, const struct pp_progress *progress); /* or NULL */
    void *on_step_data;
};

struct pp_run_rank {
    int peak_in_flight; /* (stage, microbatch) pairs, as the pools counted */
    int64_t peak_activation_bytes;
    int64_t parameter_bytes;
    char cpuset[256];
};

/* What came out. On ranks other than 0 only leads and oversubscribed are set. */
struct pp_run_result {
    bool leads; /* this is rank 0: it alone reports */

    struct pp_timeline *timelines; /* [timeline_count] the measured steps; the caller
                                    * may take the spans over (and set them NULL) */
    int *numbers;                  /* [timeline_count] of the steps, from 1 */
    int64_t *durations;            /* [timeline_count] ns, optimizer included */
    int timeline_count;
    double *losses; /* [steps] */
    double entropy_floor;
    char digest[32];
    int verified;               /* 1 yes, 0 no, -1 not asked */
    struct pp_error difference; /* what --verify found, where verified is 0 */
    struct pp_run_rank *ranks;  /* [ranks] */

    const char *clock; /* "wall" or "virtual" */
    double clock_error_s;
    double link_latency_s, link_bandwidth;
    bool oversubscribed;
    int cores;
    char host[64];
    char mpi[128];
    char blas[128];
};

/* Collective, between pp_world_enter and pp_world_leave (launch.h): trains. A failing
 * rank's error reaches all ranks. The result is to be released either way.
 * PP_WRONG_NUMBERS if a loss is not finite; a failed --verify is no error here but
 * result->verified. */
int pp_run(const struct pp_run_config *config, struct pp_run_result *result,
           struct pp_error *error);
void pp_run_result_release(struct pp_run_result *result);

#endif
