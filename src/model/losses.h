/* What a training came to, step by step. */
#ifndef PP_MODEL_LOSSES_H
#define PP_MODEL_LOSSES_H

/* A held-out loss. */
struct pp_evaluation {
    int step;    /* after the update of which it was evaluated, from 1 */
    double loss; /* nats per token, the mean over all tokens of the held-out samples */
};

struct pp_losses {
    double *training; /* [steps] nats per token, before the step's update */
    int steps;
    struct pp_evaluation *held_out; /* [held_out_count] steps ascending */
    int held_out_count;
};

#endif
