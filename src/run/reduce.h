/* The reduction: R, the sum of a stage's gradients over its weight copies.
 *
 * A copy's gradient of a stage is complete once its last weight op has run. From then
 * on it travels to the other ranks that hold the stage, beside the ops that are left;
 * when all ops are done, every holder adds the parts up in ascending order of copies.
 * So all copies get the same bits, those of the sequential run with as many copies, and
 * their updates are the same.
 *
 * R has a lane of its own: it is no op, and not part of the makespan of the ops, but
 * the step ends after it. With one copy there is nothing to do, and nothing is done. */
#ifndef PP_RUN_REDUCE_H
#define PP_RUN_REDUCE_H

#include "model/real.h"
#include "run/clock.h"
#include "schedule/schedule.h"
#include "timeline/timeline.h"

/* The gradients of a stage that this rank holds; borrowed. */
struct pp_gradient {
    real *grads;
    size_t count;
};

/* One copy's gradient of a stage. */
struct pp_part {
    bool own;      /* this rank's */
    real *grads;   /* where it accumulates; or received, owned */
    int64_t ready; /* end of its last weight op, on the common clock */
};

/* A stage that this rank holds. */
struct pp_sum {
    int stage;
    size_t count;          /* reals */
    struct pp_part *parts; /* [copies] */
};

struct pp_reducer {
    const struct pp_world *world; /* borrowed, as are the next two */
    const struct pp_schedule *schedule;
    struct pp_clock *clock;
    struct pp_sum *sums; /* [sum_count] */
    int sum_count;
    MPI_Request
        *requests; /* [request_capacity] the first request_count are under way */
    int request_count, request_capacity;
    struct pp_span *spans; /* [steps][held] R of each of the rank's chunks, in every
                            * step so far, see struct pp_timeline; owned */
    size_t held, steps, capacity; /* chunks; steps noted, and those there is room for */
};

/* own: of this rank's chunks. The world, schedule and clock outlive the reducer. On
 * failure it may only be released. PP_ENVIRONMENT when out of memory. */
int pp_reducer_init(struct pp_reducer *reducer, const struct pp_world *world,
                    const struct pp_schedule *schedule, struct pp_clock *clock,
                    const struct pp_gradient *own, struct pp_error *error);
void pp_reducer_release(struct pp_reducer *reducer);

/* A step begins: posts the receives. */
void pp_reducer_start(struct pp_reducer *reducer);

/* This rank's gradient of the copy's stage is complete since then: sends it to the
 * stage's other holders. */
void pp_reducer_send(struct pp_reducer *reducer, int copy, int stage, int64_t ready);

/* All ops are done: waits for the others' parts, adds them up, and notes the spans, for
 * which room grows (abort when out of memory). The virtual clock goes on to the end of
 * the last. */
void pp_reducer_finish(struct pp_reducer *reducer);

#endif
