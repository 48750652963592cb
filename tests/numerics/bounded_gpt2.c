#include "bounded_gpt2.h"

#include <check.h>
#include <stdlib.h>

#include "numerics.h"

static struct bounded *array(size_t count)
{
    struct bounded *values = calloc(count, sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

/* y (C): x normalised. */
static void norm(struct bounded *y, const struct bounded *x, const float *w,
                 const float *b, int C)
{
    struct sum values = {0}, squares = {0};
    for (int c = 0; c < C; c++)
        add(&values, x[c]);
    struct bounded mean = over(total(values), exact((float)C));
    for (int c = 0; c < C; c++) {
        y[c] = minus(x[c], mean);
        add(&squares, times(y[c], y[c]));
    }
    struct bounded variance = over(total(squares), exact((float)C));
    struct bounded scale = over(exact(1), square_root(plus(variance, constant(1e-5))));
    for (int c = 0; c < C; c++)
        y[c] = plus(times(times(y[c], scale), exact(w[c])), exact(b[c]));
}

/* y (M) = x (K) W + b, plus residual unless NULL. */
static void linear(struct bounded *y, const struct bounded *residual,
                   const struct bounded *x, const float *w, const float *b, int K,
                   int M)
{
    for (int m = 0; m < M; m++) {
        struct sum sum = {0};
        add(&sum, exact(b[m]));
        if (residual)
            add(&sum, residual[m]);
        for (int k = 0; k < K; k++)
            add(&sum, times(x[k], exact(w[(size_t)k * (size_t)M + (size_t)m])));
        y[m] = total(sum);
    }
}

/* y (D) of position t from qkv (T, 3C), whose head begins at column at. */
static void attend(struct bounded *y, const struct bounded *qkv, int t, int at, int C,
                   int D)
{
    struct bounded *p = array((size_t)t + 1), most = {-INFINITY, 0};
    struct bounded scale = over(exact(1), square_root(exact((float)D)));
    struct sum all = {0};
    for (int u = 0; u <= t; u++) {
        struct sum score = {0};
        for (int d = 0; d < D; d++)
            add(&score,
                times(times(qkv[t * 3 * C + at + d], qkv[u * 3 * C + C + at + d]),
                      scale));
        p[u] = total(score);
        most.value = fmax(most.value, p[u].value);
        most.error = fmax(most.error, p[u].error);
    }
    for (int u = 0; u <= t; u++) {
        p[u] = exponential(minus(p[u], most));
        add(&all, p[u]);
    }
    struct bounded inverse = over(exact(1), total(all));
    for (int d = 0; d < D; d++) {
        struct sum sum = {0};
        for (int u = 0; u <= t; u++)
            add(&sum, times(times(p[u], inverse), qkv[u * 3 * C + 2 * C + at + d]));
        y[d] = total(sum);
    }
    free(p);
}

/* x/2 (1 + tanh u) as x times the logistic function of 2u, which is what is bounded. */
static struct bounded gelu(struct bounded x)
{
    struct bounded root = constant(2 * sqrt(2 / acos(-1)));
    struct bounded cubic = times(constant(0.044715), times(x, x));
    struct bounded z = times(times(root, x), plus(exact(1), cubic));
    struct bounded e = exponential((struct bounded){-fabs(z.value), z.error});
    struct bounded above = over(exact(1), plus(exact(1), e));
    return times(x, z.value < 0 ? times(e, above) : above);
}

static void layer(struct bounded *x, const struct pp_model_config *config,
                  float *const *p, int count)
{
    int C = config->d_model, D = C / config->heads;
    struct bounded *qkv = array((size_t)count * 3 * (size_t)C);
    struct bounded *row = array((size_t)C), *wide = array(4 * (size_t)C);
    for (int t = 0; t < count; t++) {
        norm(row, x + t * C, p[0], p[1], C);
        linear(qkv + t * 3 * C, NULL, row, p[2], p[3], C, 3 * C);
    }
    for (int t = 0; t < count; t++) {
        for (int at = 0; at < C; at += D)
            attend(row + at, qkv, t, at, C, D);
        linear(x + t * C, x + t * C, row, p[4], p[5], C, C);
        norm(row, x + t * C, p[6], p[7], C);
        linear(wide, NULL, row, p[8], p[9], C, 4 * C);
        for (int c = 0; c < 4 * C; c++)
            wide[c] = gelu(wide[c]);
        linear(x + t * C, x + t * C, wide, p[10], p[11], 4 * C, C);
    }
    free(wide);
    free(row);
    free(qkv);
}

void bounded_gpt2(struct bounded *x, const struct pp_model_config *config,
                  float *const *tensors, const int32_t *tokens, int count)
{
    int C = config->d_model;
    for (int t = 0; t < count; t++)
        for (int c = 0; c < C; c++)
            x[t * C + c] = plus(exact(tensors[0][tokens[t] * C + c]),
                                exact(tensors[1][t * C + c]));
    for (int i = 0; i < config->layers; i++)
        layer(x, config, tensors + 2 + i * PP_LAYER_TENSORS, count);
}

void bounded_gpt2_logits(struct bounded *logits, const struct pp_model_config *config,
                         float *const *tensors, const struct bounded *x)
{
    int C = config->d_model;
    float *const *after = tensors + 2 + config->layers * PP_LAYER_TENSORS;
    const float *w = config->untied ? after[2] : tensors[0];
    struct bounded *row = array((size_t)C);
    norm(row, x, after[0], after[1], C);
    for (int v = 0; v < config->vocab; v++) {
        struct sum sum = {0};
        for (int c = 0; c < C; c++)
            add(&sum, times(row[c], exact(w[v * C + c])));
        logits[v] = total(sum);
    }
    free(row);
}

/* A bound grows from layer to layer by the sums of the weights' magnitudes: these are
 * small enough for the largest two of a row's logits to stay apart. */
static const float scale = 0.0625f;

float **bounded_gpt2_tensors(const struct pp_model_config *config)
{
    int count = pp_model_tensor_count(config);
    float **tensors = calloc((size_t)count, sizeof *tensors);
    ck_assert_ptr_nonnull(tensors);
    for (int i = 0; i < count; i++) {
        struct pp_tensor_spec spec = pp_model_tensor(config, i);
        bool of_layer = i >= 2 && i < 2 + config->layers * PP_LAYER_TENSORS;
        tensors[i] = numerics_array(spec.count);
        numerics_fill(tensors[i], spec.count, (uint64_t)i);
        for (size_t j = 0; of_layer && spec.rank == 2 && j < spec.count; j++)
            tensors[i][j] *= scale;
    }
    return tensors;
}

void bounded_gpt2_release(const struct pp_model_config *config, float **tensors)
{
    for (int i = 0; i < pp_model_tensor_count(config); i++)
        free(tensors[i]);
    free(tensors);
}
