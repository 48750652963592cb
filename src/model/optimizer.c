#include "model/optimizer.h"

#include <math.h>

/* torch.optim.AdamW, _single_tensor_adamw, line by line in its order of operations
 * (each quoted). Its scalars are double until they meet a tensor, so are ours. */
static void adamw(const struct pp_optimizer *optimizer, double lr, int step,
                  float scale, size_t count, float *restrict w, const float *restrict g,
                  float *restrict first, float *restrict second)
{
    double correction1 = 1 - pow(optimizer->beta1, step);
    double correction2 = 1 - pow(optimizer->beta2, step);
    float keep = (float)(1 - lr * optimizer->weight_decay);
    float blend1 = (float)(1 - optimizer->beta1);
    float beta2 = (float)optimizer->beta2;
    float blend2 = (float)(1 - optimizer->beta2);
    float root2 = (float)sqrt(correction2);
    float epsilon = (float)optimizer->epsilon;
    float step_size = (float)(-lr / correction1);

    for (size_t i = 0; i < count; i++) {
        float gradient = g[i] * scale;
        /* param.mul_(1 - lr * weight_decay) */
        float value = w[i] * keep;
        /* exp_avg.lerp_(grad, 1 - beta1) */
        first[i] = first[i] + blend1 * (gradient - first[i]);
        /* exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2) */
        second[i] = second[i] * beta2 + blend2 * gradient * gradient;
        /* denom = (exp_avg_sq.sqrt() / bias_correction2_sqrt).add_(eps) */
        float denominator = sqrtf(second[i]) / root2 + epsilon;
        /* param.addcdiv_(exp_avg, denom, value=-step_size) */
        w[i] = value + step_size * first[i] / denominator;
    }
}

static void sgd(const struct pp_optimizer *optimizer, double rate, float scale,
                size_t count, float *restrict w, const float *restrict g)
{
    float decay = (float)optimizer->weight_decay;
    float lr = (float)rate;
    for (size_t i = 0; i < count; i++)
        w[i] -= lr * (g[i] * scale + decay * w[i]);
}

void pp_optimizer_step(const struct pp_optimizer *optimizer, int step, float scale,
                       size_t count, float *w, const float *g, float *first,
                       float *second)
{
    double lr = pp_learning_rate(&optimizer->lr, step);
    switch (optimizer->kind) {
    case PP_ADAMW:
        adamw(optimizer, lr, step, scale, count, w, g, first, second);
        break;
    case PP_SGD:
        sgd(optimizer, lr, scale, count, w, g);
        break;
    }
}

/* Lane j sums the elements j modulo LANES, then the lanes are added in pairs: an
 * order of summation that vectors of any width up to LANES can follow, so that it is
 * fast without leave to reorder. */
double pp_sum_of_squares(size_t count, const float *g)
{
    enum { LANES = 16 };
    double lane[LANES] = {0};
    size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (double)g[i + j] * (double)g[i + j];
    for (size_t i = whole; i < count; i++)
        lane[i - whole] += (double)g[i] * (double)g[i];
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}
