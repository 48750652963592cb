/* SGD and AdamW, one step over a flat block of parameters. */
#ifndef PP_MODEL_OPTIMIZER_H
#define PP_MODEL_OPTIMIZER_H

#include <stddef.h>

#include "model/learning_rate.h"

enum pp_optimizer_kind { PP_ADAMW, PP_SGD };

/* AdamW: Loshchilov & Hutter, arXiv 1711.05101, algorithm 2, as torch.optim.AdamW
 * computes it (bias correction by 1 - beta^t, decay by 1 - lr * weight_decay before
 * the update, on every parameter). SGD: plain, without momentum, as torch.optim.SGD:
 * w -= lr * (g + weight_decay * w). Under both a weight loses lr * weight_decay of
 * itself in each step, so one default serves both: 0.01, torch's for AdamW (its SGD
 * has 0). */
struct pp_optimizer {
    enum pp_optimizer_kind kind;
    struct pp_learning_rate lr;   /* of each step, as torch's schedulers set it:
                                   * before the update, for step and decay alike */
    double beta1, beta2, epsilon; /* 0.9, 0.999, 1e-8 */
    double weight_decay;
};

/* Updates w[count] from g[count] times scale (the clipping factor, 1 where nothing is
 * clipped). first and second are AdamW's moments [count], zero before step 1; SGD
 * leaves them alone (may be NULL). step counts from 1. */
void pp_optimizer_step(const struct pp_optimizer *optimizer, int step, float scale,
                       size_t count, float *w, const float *g, float *first,
                       float *second);

/* Sum of squares of g[count] in double, in one fixed order of summation. */
double pp_sum_of_squares(size_t count, const float *g);

#endif
