/* How many buffers a rank needs for its ops, and how large a message is: what the run
 * allocates by, and what is foretold of its memory (memory.h). */
#ifndef PP_RUN_BUFFERS_H
#define PP_RUN_BUFFERS_H

#include "model/config.h"
#include "schedule/schedule.h"

/* The most buffers of each kind that a rank's ops, in order, hold at once. */
struct pp_buffer_counts {
    int wires;        /* inputs and output gradients held, and one output; and those on
                       * their way */
    int *transients;  /* [chunks] owned: the next three with it */
    int *activations; /* [chunks] */
    int *gradients;   /* [chunks] */
    int *inputs;      /* [chunks] what re-computation begins from */
};
int pp_buffer_counts_init(struct pp_buffer_counts *result,
                          const struct pp_schedule *schedule,
                          enum pp_recompute recompute, int rank,
                          struct pp_error *error);
void pp_buffer_counts_release(struct pp_buffer_counts *counts);

/* Of a message with its header. */
double pp_wire_bytes(const struct pp_model_config *model);

#endif
