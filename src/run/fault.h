/* Numbers that are not finite, and where they began. That is asked only once a loss or
 * a gradient is not finite: the step's parameters are unmodified then and its data are
 * still there, so it is run again, to the same bits, with every op's results looked at.
 * The first tensor at fault is that of the lowest microbatch, and of it of the first op
 * whose inputs were finite: the same under every schedule.
 *
 *     h.2.mlp.gelu is inf in 1F3: rank 1, stage 1, microbatch 3
 *
 * All fail with PP_WRONG_NUMBERS. */
#ifndef PP_RUN_FAULT_H
#define PP_RUN_FAULT_H

#include "run/train.h"

/* Collective. Refuses a step whose loss or norm is not finite. Returns -1. */
int pp_refuse_step(struct pp_trainer *trainer, int step,
                   const struct pp_outcome *outcome, struct pp_error *error);

/* Refuses what else came out after the step. Returns -1. */
int pp_refuse_numbers(const struct pp_trainer *trainer, int step, const char *what,
                      struct pp_error *error);

/* Collective. Are the parameters finite after the step's update, which no later step
 * has looked at? */
int pp_check_parameters(struct pp_trainer *trainer, int step, struct pp_error *error);

#endif
