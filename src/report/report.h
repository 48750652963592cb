/* The report: everything a run or a simulation found, in one structure. The summary,
 * JSON, pictures, checks and comparisons are all drawn from it; JSON reads back into
 * it. */
#ifndef PP_REPORT_REPORT_H
#define PP_REPORT_REPORT_H

#include <jansson.h>

#include "model/losses.h"
#include "report/generation.h"
#include "schedule/held.h"
#include "timeline/op_costs.h"
#include "timeline/steps.h"

/* A rank's memory and place; its times are in metrics. */
struct pp_report_rank {
    double peak_in_flight; /* microbatches * chunks / v: 1 = one microbatch's
                            * activations of one whole rank */
    double peak_memory; /* what it holds for its microbatches at most (held.h), in the
                         * unit of --memory: 1 is one microbatch of a whole rank */
    /* NaN in a simulation of no model. */
    double peak_activation_bytes; /* likewise, in bytes: of activations, and of the
                                   * gradients that a W waits with */
    double parameter_bytes, gradient_bytes, optimizer_bytes;
    double kv_cache_bytes; /* keys and values of a generation; else NaN */
    double core_share; /* CPU time of its ops / their time, over the measured steps: on
                        * the wall clock, with one thread; else NaN */
    char cpuset[256];  /* as hwloc lists it ("0-1"), empty in a simulation */
};

struct pp_report_environment {
    int cores;      /* that the ranks of this host may use */
    char clock[16]; /* "wall", "virtual", "simulated" */
    char mpi[128];  /* library version, empty in a simulation */
    char blas[128]; /* library, version, core type */
    char host[64];
    bool oversubscribed;  /* more ranks than cores */
    double clock_error_s; /* residual error of the clocks' alignment, 0 on one host */
};

struct pp_report_training {
    double *losses; /* [loss_count] nats per token, one per step, all steps */
    int loss_count;
    double *rates; /* [rate_count] the learning rate of each step; older reports have
                    * none */
    int rate_count;
    struct pp_evaluation *evaluations; /* [evaluation_count] held-out losses */
    int evaluation_count;
    double resumed_from; /* the step of the checkpoint that the run went on from; NaN:
                          * it began anew */
    double
        stopped_after; /* the step after which the run was stopped; NaN: it was not */
    double entropy_floor; /* NaN if unknown */
    char digest[32];      /* of the parameters, in hex */
    int verified;         /* 1 yes, 0 failed, -1 not asked */
};

struct pp_report {
    char command[16]; /* "run", "simulate" or "generate" */
    char version[32];
    json_t *config; /* every option's value; owned */
    struct pp_report_environment environment;

    struct pp_schedule schedule;  /* owned */
    struct pp_timeline timeline;  /* of the representative step; spans NULL if a read
                                   * report held none */
    char timeline_dropped[160];   /* why the report's file holds no timeline; "": it
                                   * does */
    struct pp_metrics metrics;    /* of the representative step */
    struct pp_report_rank *ranks; /* [schedule.ranks] */

    struct pp_step *steps; /* [step_count] the measured ones */
    int step_count;
    int representative;            /* index into steps */
    struct pp_makespans makespans; /* over steps */
    double bubble_min, bubble_max; /* of the fraction, over steps */
    double tokens_per_s; /* of the whole representative step; NaN if unknown */

    double theory;         /* bubble fraction, closed form; NaN where none applies */
    char theory_note[256]; /* its source, or why there is none */
    double predicted;      /* bubble fraction, simulated with the median costs, in a
                            * generation with what each op took; NaN */
    double predicted_makespan_s; /* NaN */

    struct pp_cost *costs; /* [cost_count] */
    int cost_count;
    double link_latency_s, link_bandwidth; /* bytes/s; INFINITY: free */

    struct pp_report_training training;     /* of a run */
    struct pp_report_generation generation; /* of one */
};

/* What was measured, or simulated: the timelines of one or more steps of a schedule. */
struct pp_measured {
    struct pp_schedule *schedule;  /* that of all timelines; taken over */
    struct pp_timeline *timelines; /* [count] taken over, but for the array */
    const int *numbers;            /* [count] see struct pp_step */
    const int64_t *durations;      /* [count] likewise; NULL: a step is its ops and
                                    * reductions, as in a simulation */
    int count;                     /* at least 1 */
    double tokens;                 /* per step; 0: unknown */
};

/* Sets up the report, whatever it held: takes over the schedule and the representative
 * timeline, releases the others, and fills in metrics, steps, costs, bubble range and
 * the ranks' peaks (in flight as the timeline says; a run overwrites it with what its
 * pools counted). All else is set to unknown (empty, NaN, link free, not verified): the
 * caller fills it in afterwards. The timeline points into the report, which must not be
 * moved in memory. On failure the report may only be released; schedule and timelines
 * are then too. */
int pp_report_measure(struct pp_report *report, const struct pp_measured *measured,
                      struct pp_error *error);
void pp_report_release(struct pp_report *report);

/* Sets the ranks' peak_memory: hold is what a microbatch of a whole rank holds, shared
 * by the stages that it meets there. pp_report_measure has set it for 1 and 1. */
int pp_report_set_memory(struct pp_report *report, struct pp_hold hold,
                         struct pp_error *error);

/* The smallest core_share, and whose it is. rank -1, share NaN: not known. */
struct pp_least_share {
    int rank;
    double share;
};
struct pp_least_share pp_least_core_share(const struct pp_report *report);
/* Did another program take part of a rank's core (timeline/core_share.h)? Then the
 * times are not those of the schedule alone. */
bool pp_report_shared_core(const struct pp_report *report);

/* The places (pp_place) of each rank's stages in the order of its chunks,
 * [ranks][held], -1 where a rank has fewer: ascending, copy by copy. The caller frees
 * it; NULL when out of memory. */
int *pp_places_by_rank(const struct pp_schedule *schedule);

/* A report's file leaves out a timeline of more ops than this. */
enum { PP_JSON_MOST_OPS = 1 << 20 };

/* What a message between two stages holds for a microbatch: activations, or gradients
 * by them, an array [sequences][tokens][width] of float. 0 where the report does not
 * say.
 */
struct pp_message_shape {
    int sequences, tokens, width;
};
struct pp_message_shape pp_report_message_shape(const struct pp_report *report);
double pp_message_shape_bytes(const struct pp_message_shape *shape);

/* Fails with PP_BAD_INPUT unless the report holds a timeline. */
int pp_report_need_timeline(const struct pp_report *report, struct pp_error *error);

#endif
