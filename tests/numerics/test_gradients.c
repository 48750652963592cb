/* Every layer's backward, and whole stages', against central finite differences, in
 * double. */
#include <float.h>
#include <math.h>

#include "model/blas.h"
#include "model/layers.h"
#include "numerics.h"
#include "unit.h"

/* Sizes that no vector divides, and rows longer than one. */
enum { B = 2, T = 19, C = 12, H = 2, V = 21, M = 10, N = B * T };
/* Whole stages take shorter sequences: every difference costs two passes. */
enum { STAGE_T = 5, STAGE_N = B * STAGE_T };

/* The step of the differences. */
static const double h = 1e-5;

/* What f(), whose derivative is taken, added up last: so many terms, so large. Each
 * term has itself been through less than DEPTH roundings: at most two layers of six
 * sums of up to 48 terms, their norms and their softmax. */
static struct {
    int terms;
    double magnitude; /* Σ |term| */
} added;
enum { DEPTH = 1000 };

/* Of f, were all roundings of all terms to fall the same way. */
static double rounding_error(void)
{
    return (added.terms + DEPTH) * (DBL_EPSILON / 2) * added.magnitude;
}

static real x[N * C], residual[N * C], w[V * C], b[M], r[N * V];
static real y[N * V], dx[N * V], dw[V * C], db[V * C];
static real standard[N * C], rstd[N], p[N * V], slope[N * C];
static int32_t tokens[N], targets[N];

static void spoil(real *array, size_t count)
{
    for (size_t i = 0; i < count; i++)
        array[i] = (real)NAN;
}

static void ones(real *array, size_t count)
{
    for (size_t i = 0; i < count; i++)
        array[i] = 1;
}

static void setup(void)
{
    struct pp_error blas_error;
    ck_assert_int_eq(pp_blas_init(1, &blas_error), 0);
    numerics_fill(x, N * C, 1);
    numerics_fill(residual, N * C, 2);
    numerics_fill(w, V * C, 3);
    numerics_fill(b, M, 4);
    numerics_fill(r, N * V, 5);
    numerics_tokens(tokens, N, V, 6);
    numerics_tokens(targets, N, V, 7);
    spoil(y, N * V);
    spoil(dx, N * V);
    ones(dw, V * C); /* what is accumulated into starts at 1 */
    ones(db, V * C);
}

static double weighted(const real *array, int count)
{
    double total = 0;
    added.terms = count;
    added.magnitude = 0;
    for (int i = 0; i < count; i++) {
        total += r[i] * array[i];
        added.magnitude += fabs(r[i] * array[i]);
    }
    return total;
}

/* (f(at + step) - f(at - step)) / (2 step) */
static double difference(double (*f)(void *), void *data, real *at, double step)
{
    real kept = *at;
    *at = kept + step;
    double above = f(data);
    *at = kept - step;
    double below = f(data);
    *at = kept;
    return (above - below) / (2 * step);
}

/* gradient[i] - start is the derivative of f by at[i]. A difference of step h errs by
 * the rounding of f over h, and by h² f''' / 6; one of step 2h by half the former and
 * four times the latter. So the two are h² f''' / 2 apart, give or take 3/2 of the
 * rounding over h. */
static void expect_gradient(const char *name, double (*f)(void *), void *data, real *at,
                            const real *gradient, size_t count, double start)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double found = gradient[i] - start;
        double expected = difference(f, data, &at[i], h);
        double apart = fabs(difference(f, data, &at[i], 2 * h) - expected);
        double rounding = rounding_error() / h;
        double tolerance = rounding + (apart + 1.5 * rounding) / 3;
        double error = fabs(found - expected);
        largest = fmax(largest, fabs(expected) / tolerance);
        ck_assert_msg(error <= tolerance,
                      "%s[%zu]: %g instead of %g: off by %g, more "
                      "than %g",
                      name, i, found, expected, error, tolerance);
    }
    ck_assert_msg(largest > 1000, "%s: no gradient stands out", name);
}

static double embedding(void *data)
{
    (void)data;
    pp_embedding_forward(y, tokens, w, x, B, T, C);
    return weighted(y, N * C);
}

START_TEST(embedding_weight)
{
    ones(dx, N * V);
    pp_embedding_backward_weight(dw, dx, r, tokens, B, T, C);
    expect_gradient("wte", embedding, NULL, w, dw, V * C, 1);
    expect_gradient("wpe", embedding, NULL, x, dx, (size_t)T * C, 1);
}
END_TEST

static double layernorm(void *data)
{
    (void)data;
    pp_layernorm_forward(y, standard, rstd, x, w, w + C, N, C);
    return weighted(y, N * C);
}

START_TEST(layernorm_input)
{
    layernorm(NULL);
    pp_layernorm_backward_input(dx, NULL, r, standard, rstd, w, N, C);
    expect_gradient("x", layernorm, NULL, x, dx, N * C, 0);
}
END_TEST

START_TEST(layernorm_input_beside_residual)
{
    layernorm(NULL);
    pp_layernorm_backward_input(dx, residual, r, standard, rstd, w, N, C);
    real alone[N * C];
    pp_layernorm_backward_input(alone, NULL, r, standard, rstd, w, N, C);
    for (int i = 0; i < N * C; i++)
        ck_assert_double_eq(dx[i], alone[i] + residual[i]);
}
END_TEST

START_TEST(layernorm_weight)
{
    layernorm(NULL);
    pp_layernorm_backward_weight(dw, dw + C, r, standard, N, C);
    expect_gradient("w", layernorm, NULL, w, dw, C, 1);
    expect_gradient("b", layernorm, NULL, w + C, dw + C, C, 1);
}
END_TEST

static double linear(void *data)
{
    pp_linear_forward(y, data, x, w, b, N, C, M);
    return weighted(y, N * M);
}

START_TEST(linear_input)
{
    pp_linear_backward_input(dx, r, w, N, C, M);
    expect_gradient("x", linear, NULL, x, dx, N * C, 0);
    expect_gradient("x beside a residual", linear, residual, x, dx, N * C, 0);
    expect_gradient("residual", linear, residual, residual, r, N * M, 0);
}
END_TEST

START_TEST(linear_weight)
{
    pp_linear_backward_weight(dw, db, r, x, N, C, M);
    expect_gradient("w", linear, residual, w, dw, C * M, 1);
    expect_gradient("b", linear, residual, b, db, M, 1);
}
END_TEST

static real qkv[N * 3 * C], dqkv[N * 3 * C], weights[B * H * T * T], square[T * T];

static double attention(void *data)
{
    (void)data;
    pp_attention_forward(y, weights, qkv, B, T, C, H);
    return weighted(y, N * C);
}

START_TEST(attention_input)
{
    numerics_fill(qkv, N * 3 * C, 8);
    spoil(dqkv, N * 3 * C);
    spoil(weights, B * H * T * T);
    attention(NULL);
    pp_attention_backward_input(dqkv, square, r, weights, qkv, B, T, C, H);
    expect_gradient("qkv", attention, NULL, qkv, dqkv, N * 3 * C, 0);
}
END_TEST

static double gelu(void *data)
{
    (void)data;
    for (int i = 0; i < N * C; i++)
        y[i] = 6 * x[i]; /* both flat ends as well */
    pp_gelu_forward(y, slope, N * C);
    return weighted(y, N * C);
}

START_TEST(gelu_input)
{
    gelu(NULL);
    for (int i = 0; i < N * C; i++)
        dx[i] = r[i];
    pp_gelu_backward_input(dx, slope, N * C);
    for (int i = 0; i < N * C; i++)
        dx[i] *= 6;
    expect_gradient("x", gelu, NULL, x, dx, N * C, 0);
}
END_TEST

static double head(void *data)
{
    (void)data;
    pp_head_forward(y, x, w, N, C, V);
    return weighted(y, N * V);
}

START_TEST(head_input)
{
    pp_head_backward_input(dx, r, w, N, C, V);
    expect_gradient("x", head, NULL, x, dx, N * C, 0);
}
END_TEST

START_TEST(head_weight)
{
    pp_head_backward_weight(dw, r, x, N, C, V);
    expect_gradient("w", head, NULL, w, dw, V * C, 1);
}
END_TEST

static double cross_entropy(void *data)
{
    real *logits = data;
    for (int i = 0; i < N * V; i++)
        p[i] = logits[i];
    added.terms = N;
    added.magnitude = pp_cross_entropy_forward(p, targets, N, V); /* all positive */
    return added.magnitude;
}

START_TEST(cross_entropy_input)
{
    const real scale = 0.25;
    cross_entropy(r);
    pp_cross_entropy_backward_input(p, targets, scale, N, V);
    for (int i = 0; i < N * V; i++)
        dx[i] = p[i] / scale;
    expect_gradient("logits", cross_entropy, r, r, dx, N * V, 0);
}
END_TEST

/* A stage's scalar result: the scaled loss of the head, else its output weighted. */
static double stage_result(void *data)
{
    struct bed *bed = data;
    double loss = 0;
    pp_stage_forward(&bed->stage, bed->pass, bed->output[0], &loss);
    if (!bed->stage.head)
        return weighted(bed->output[0], STAGE_N * C);
    added.terms = STAGE_N;
    added.magnitude = loss * bed->pass->loss_scale; /* all positive */
    return added.magnitude;
}

static const struct {
    const char *name;
    int layers;
    bool embed, head, untied;
} stages[] = {
    {"embedding", 0, true, false, false},
    {"embedding and layer", 1, true, false, false},
    {"middle", 2, false, false, false},
    {"layer and head, tied", 1, false, true, false},
    {"head, tied", 0, false, true, false},
    {"head, untied", 0, false, true, true},
    {"whole, tied", 2, true, true, false},
    {"whole, untied", 1, true, true, true},
    {"no layers, tied", 0, true, true, false},
};

START_TEST(whole_stage)
{
    const struct pp_model_config config = {.layers = 2,
                                           .d_model = C,
                                           .heads = H,
                                           .seq_len = STAGE_T,
                                           .microbatch_size = B,
                                           .vocab = V,
                                           .untied = stages[_i].untied};
    struct bed bed;
    bed_init(&bed, &config, 0, stages[_i].layers, stages[_i].embed, stages[_i].head, 1);
    struct pp_stage *stage = &bed.stage;
    bed.pass->input = x;
    bed.pass->output_grad = r;
    stage_result(&bed);
    pp_stage_backward_input(stage, bed.pass, bed.input_grad[0]);
    ones(stage->grads, stage->real_count);
    pp_stage_backward_weight(stage, bed.pass);

    if (!stage->embed)
        expect_gradient(stages[_i].name, stage_result, &bed, x, bed.input_grad[0],
                        STAGE_N * C, 0);
    for (int i = 0; i < stage->parameter_count; i++) {
        struct pp_tensor_spec spec =
            pp_model_tensor(&config, stage->parameters[i].index);
        expect_gradient(spec.name, stage_result, &bed, stage->parameters[i].value,
                        stage->parameters[i].grad, stage->parameters[i].count, 1);
    }
    bed_release(&bed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *layers = tcase_create("layers");
    tcase_add_checked_fixture(layers, setup, NULL);
    tcase_add_test(layers, embedding_weight);
    tcase_add_test(layers, layernorm_input);
    tcase_add_test(layers, layernorm_input_beside_residual);
    tcase_add_test(layers, layernorm_weight);
    tcase_add_test(layers, linear_input);
    tcase_add_test(layers, linear_weight);
    tcase_add_test(layers, attention_input);
    tcase_add_test(layers, gelu_input);
    tcase_add_test(layers, head_input);
    tcase_add_test(layers, head_weight);
    tcase_add_test(layers, cross_entropy_input);
    suite_add_tcase(suite, layers);
    TCase *whole = tcase_create("stages");
    tcase_add_checked_fixture(whole, setup, NULL);
    tcase_set_timeout(whole, 60);
    tcase_add_loop_test(whole, whole_stage, 0, sizeof stages / sizeof *stages);
    suite_add_tcase(suite, whole);
    return unit_run(suite);
}
