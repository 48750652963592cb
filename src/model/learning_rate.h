/* The learning rate of each step. */
#ifndef PP_MODEL_LEARNING_RATE_H
#define PP_MODEL_LEARNING_RATE_H

enum pp_rate_kind { PP_RATE_CONSTANT, PP_RATE_COSINE };

/* As Megatron-LM's OptimizerParamScheduler.get_lr (megatron/core/
 * optimizer_param_scheduler.py) for the styles constant and cosine:
 *
 *     n <= warmup           most * n / warmup
 *     else, constant        most
 *     else, n > decay       least
 *     else                  least + (most - least) (1 + cos(pi x)) / 2
 *                           x = (n - warmup) / (decay - warmup)
 *
 * The cosine is that of Loshchilov & Hutter, arXiv 1608.03983, equation 5, without
 * restarts. Megatron counts in n the steps that are done, so that the first step of a
 * warm-up learns nothing; here n counts this step too: the rate is highest in step
 * `warmup`, and least in step `decay`. */
struct pp_learning_rate {
    enum pp_rate_kind kind;
    double most, least; /* 0 <= least <= most */
    int warmup;         /* steps of the linear rise; 0: none */
    int decay;          /* the step, warm-up included, at which the cosine ends;
                         * > warmup. A constant rate ignores it, and least */
};

/* step counts from 1. */
double pp_learning_rate(const struct pp_learning_rate *rate, int step);

#endif
