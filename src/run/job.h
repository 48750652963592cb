/* One run, on one rank: what it is made of, and how that is set up. */
#ifndef PP_RUN_JOB_H
#define PP_RUN_JOB_H

#include "run/checkpoint.h"
#include "run/result.h"
#include "run/site.h"

struct pp_job {
    struct pp_run_config own; /* without '--load' where a checkpoint takes its place */
    const struct pp_run_config *config; /* own */
    struct pp_run_result *result;
    struct pp_site site;
    struct pp_trainer trainer;
    struct pp_checkpoints checkpoints;
    struct pp_span *spans; /* [measured + 1][ops of this rank]: the last is for
                            * warm-up steps */
    struct pp_cpu *cpu;    /* [measured + 1][ops of this rank]; NULL: not counted */
    size_t ops;
    int warmup;   /* the steps of this process that are left out, and */
    int measured; /* those that are not */
};

/* Collective. Brings up all its parts, of a job that knows its config and its result,
 * and is else {0}. */
int pp_job_set_up(struct pp_job *job, struct pp_error *error);

/* Of a message between two stages. */
size_t pp_job_message_bytes(const struct pp_job *job);

#endif
