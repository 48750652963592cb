/* The layers in float against a reference that takes the textbook's formulas one
 * element at a time, in double; each element within a bound of its own, which follows
 * from the roundings of the formula that the layer takes (bounded.h). */
#include <math.h>

#include "bounded.h"
#include "model/blas.h"
#include "model/layers.h"
#include "numerics.h"
#include "unit.h"

/* Rows longer than a vector, and none that is a multiple of one. */
enum { B = 2, T = 37, C = 44, H = 4, D = C / H, V = 67, M = 71, N = B * T };

static float x[N * C], residual[N * M], w[V * C + C * M], b[M], r[N * 3 * C];
static float y[N * 3 * C], dx[N * 3 * C], dw[V * C + C * M], db[M];
static float standard[N * C], rstd[N], weights[B * H * T * T], square[T * T];
static float qkv[N * 3 * C];
static int32_t tokens[N], targets[N];

static void setup(void)
{
    struct pp_error blas_error;
    ck_assert_int_eq(pp_blas_init(1, &blas_error), 0);
    numerics_fill(x, N * C, 1);
    numerics_fill(residual, N * M, 2);
    numerics_fill(w, V * C + C * M, 3);
    numerics_fill(b, M, 4);
    numerics_fill(r, N * 3 * C, 5);
    numerics_fill(qkv, N * 3 * C, 6);
    numerics_tokens(tokens, N, V, 7);
    numerics_tokens(targets, N, V, 8);
    for (int i = 0; i < N * 3 * C; i++)
        y[i] = dx[i] = NAN;
    for (int i = 0; i < V * C + C * M; i++)
        dw[i] = 0;
    for (int i = 0; i < M; i++)
        db[i] = 0;
}

static void expect_near(const char *name, const float *found,
                        const struct bounded *expected, int count)
{
    for (int i = 0; i < count; i++) {
        double error = fabs((double)found[i] - expected[i].value);
        ck_assert_msg(error <= bound(expected[i]),
                      "%s[%d]: %.9g instead of %.9g: off by %g, more than %g", name, i,
                      (double)found[i], expected[i].value, error, bound(expected[i]));
    }
}

static struct bounded expected[N * 3 * C];

START_TEST(embedding)
{
    pp_embedding_forward(y, tokens, w, x, B, T, C);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++)
            expected[n * C + c] =
                plus(exact(w[tokens[n] * C + c]), exact(x[n % T * C + c]));
    expect_near("x", y, expected, N * C);

    pp_embedding_backward_weight(dw, dw + V * C, r, tokens, B, T, C);
    static struct sum sums[(V + T) * C];
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++) {
            add(&sums[tokens[n] * C + c], exact(r[n * C + c]));
            add(&sums[(V + n % T) * C + c], exact(r[n * C + c]));
        }
    for (int i = 0; i < (V + T) * C; i++)
        expected[i] = total(sums[i]);
    expect_near("dwte and dwpe", dw, expected, (V + T) * C);
}
END_TEST

/* The standardised rows and 1 / their deviations. */
static void standardise(struct bounded s[N][C], struct bounded scale[N])
{
    const struct bounded count = exact(C);
    for (int n = 0; n < N; n++) {
        struct sum values = {0}, squares = {0};
        for (int c = 0; c < C; c++)
            add(&values, exact(x[n * C + c]));
        struct bounded mean = over(total(values), count);
        for (int c = 0; c < C; c++) {
            s[n][c] = minus(exact(x[n * C + c]), mean);
            add(&squares, times(s[n][c], s[n][c]));
        }
        struct bounded variance = over(total(squares), count);
        scale[n] = over(exact(1), square_root(plus(variance, constant(1e-5))));
        for (int c = 0; c < C; c++)
            s[n][c] = times(s[n][c], scale[n]);
    }
}

START_TEST(layernorm)
{
    static struct bounded s[N][C], scale[N];
    pp_layernorm_forward(y, standard, rstd, x, w, b, N, C);
    standardise(s, scale);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++)
            expected[n * C + c] = plus(times(s[n][c], exact(w[c])), exact(b[c]));
    expect_near("y", y, expected, N * C);
    float again[N * C];
    pp_layernorm_recompute(again, standard, w, b, N, C);
    ck_assert_mem_eq(again, y, sizeof again);

    pp_layernorm_backward_input(dx, x, r, standard, rstd, w, N, C);
    for (int n = 0; n < N; n++) {
        struct bounded dy[C];
        struct sum values = {0}, products = {0};
        for (int c = 0; c < C; c++) {
            dy[c] = times(exact(r[n * C + c]), exact(w[c]));
            add(&values, dy[c]);
            add(&products, times(dy[c], s[n][c]));
        }
        struct bounded mean = over(total(values), exact(C));
        struct bounded along = over(total(products), exact(C));
        for (int c = 0; c < C; c++) {
            struct bounded rest = minus(minus(dy[c], mean), times(s[n][c], along));
            rest = plus(times(rest, scale[n]), exact(x[n * C + c]));
            /* Σ over j of dy_j dy_j/dx_c, from the Jacobian */
            double jacobian = (double)x[n * C + c];
            for (int j = 0; j < C; j++)
                jacobian += (double)r[n * C + j] * (double)w[j] * scale[n].value *
                            ((j == c) - 1.0 / C - s[n][j].value * s[n][c].value / C);
            expected[n * C + c] = textbook(jacobian, rest);
        }
    }
    expect_near("dx", dx, expected, N * C);

    pp_layernorm_backward_weight(dw, db, r, standard, N, C);
    for (int c = 0; c < C; c++) {
        struct sum weight = {0}, bias = {0};
        for (int n = 0; n < N; n++) {
            add(&weight, times(exact(r[n * C + c]), s[n][c]));
            add(&bias, exact(r[n * C + c]));
        }
        expected[c] = total(weight);
        expected[C + c] = total(bias);
    }
    expect_near("dw", dw, expected, C);
    expect_near("db", db, expected + C, C);
}
END_TEST

static void linear_reference(bool beside)
{
    for (int n = 0; n < N; n++)
        for (int j = 0; j < M; j++) {
            struct sum sum = {0};
            add(&sum, exact(b[j]));
            if (beside)
                add(&sum, exact(residual[n * M + j]));
            for (int c = 0; c < C; c++)
                add(&sum, times(exact(x[n * C + c]), exact(w[c * M + j])));
            expected[n * M + j] = total(sum);
        }
}

START_TEST(linear)
{
    pp_linear_forward(y, residual, x, w, b, N, C, M);
    linear_reference(true);
    expect_near("y", y, expected, N * M);
    float alone[N * M];
    pp_linear_forward(alone, NULL, x, w, b, N, C, M);
    linear_reference(false);
    expect_near("y without residual", alone, expected, N * M);
    pp_linear_forward(residual, residual, x, w, b, N, C, M);
    ck_assert_mem_eq(residual, y, sizeof residual);

    pp_linear_backward_input(dx, r, w, N, C, M);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++) {
            struct sum sum = {0};
            for (int j = 0; j < M; j++)
                add(&sum, times(exact(r[n * M + j]), exact(w[c * M + j])));
            expected[n * C + c] = total(sum);
        }
    expect_near("dx", dx, expected, N * C);

    pp_linear_backward_weight(dw, db, r, x, N, C, M);
    for (int j = 0; j < M; j++) {
        struct sum bias = {0};
        for (int n = 0; n < N; n++)
            add(&bias, exact(r[n * M + j]));
        expected[C * M + j] = total(bias);
        for (int c = 0; c < C; c++) {
            struct sum weight = {0};
            for (int n = 0; n < N; n++)
                add(&weight, times(exact(x[n * C + c]), exact(r[n * M + j])));
            expected[c * M + j] = total(weight);
        }
    }
    expect_near("dw", dw, expected, C * M);
    expect_near("db", db, expected + C * M, M);
}
END_TEST

/* row[count] of scores becomes its softmax; the layer subtracts the largest first. */
static void softmax(struct bounded *row, int count)
{
    struct bounded most = row[0];
    struct sum sum = {0};
    for (int i = 1; i < count; i++) {
        most.value = fmax(most.value, row[i].value);
        most.error = fmax(most.error, row[i].error);
    }
    for (int i = 0; i < count; i++) {
        row[i] = exponential(minus(row[i], most));
        add(&sum, row[i]);
    }
    struct bounded inverse = over(exact(1), total(sum));
    for (int i = 0; i < count; i++)
        row[i] = times(row[i], inverse);
}

/* Component d of a part (query 0, key 1, value 2) of position t of sequence s. */
static int at(int s, int t, int part, int head, int d)
{
    return (s * T + t) * 3 * C + part * C + head * D + d;
}

/* a qkv[part of (s, t, head)], a sum over the part's components */
static struct bounded along_part(const float *a, int s, int t, int part, int head,
                                 struct bounded scale)
{
    struct sum sum = {0};
    for (int d = 0; d < D; d++) {
        struct bounded term = times(exact(a[d]), exact(qkv[at(s, t, part, head, d)]));
        add(&sum, times(term, scale));
    }
    return total(sum);
}

START_TEST(attention)
{
    static struct bounded p[B][H][T][T];
    static struct sum sums[N * 3 * C];
    struct bounded scale = over(exact(1), square_root(exact(D)));
    pp_attention_forward(y, weights, qkv, B, T, C, H);
    pp_attention_backward_input(dx, square, r, weights, qkv, B, T, C, H);
    for (int s = 0; s < B; s++)
        for (int head = 0; head < H; head++)
            for (int t = 0; t < T; t++) {
                struct bounded *p_t = p[s][head][t], dp[T];
                struct sum mean = {0};
                const float *dy = r + (s * T + t) * C + head * D;
                for (int u = 0; u <= t; u++)
                    p_t[u] =
                        along_part(qkv + at(s, t, 0, head, 0), s, u, 1, head, scale);
                softmax(p_t, t + 1);
                for (int d = 0; d < D; d++) {
                    struct sum sum = {0};
                    for (int u = 0; u <= t; u++)
                        add(&sum, times(p_t[u], exact(qkv[at(s, u, 2, head, d)])));
                    expected[(s * T + t) * C + head * D + d] = total(sum);
                }

                for (int u = 0; u <= t; u++) {
                    dp[u] = along_part(dy, s, u, 2, head, exact(1));
                    add(&mean, times(p_t[u], dp[u]));
                    for (int d = 0; d < D; d++)
                        add(&sums[at(s, u, 2, head, d)], times(p_t[u], exact(dy[d])));
                }
                for (int u = 0; u <= t; u++) {
                    struct bounded rest = times(p_t[u], minus(dp[u], total(mean)));
                    /* Σ over j of dp_j dp_j/dscore_u, from the Jacobian */
                    double jacobian = 0;
                    for (int j = 0; j <= t; j++)
                        jacobian +=
                            dp[j].value * p_t[j].value * ((j == u) - p_t[u].value);
                    struct bounded dscore = times(textbook(jacobian, rest), scale);
                    for (int d = 0; d < D; d++) {
                        int query = at(s, t, 0, head, d), key = at(s, u, 1, head, d);
                        add(&sums[query], times(dscore, exact(qkv[key])));
                        add(&sums[key], times(dscore, exact(qkv[query])));
                    }
                }
            }
    expect_near("weights", weights, &p[0][0][0][0], B * H * T * T);
    expect_near("y", y, expected, N * C);
    for (int i = 0; i < N * 3 * C; i++)
        expected[i] = total(sums[i]);
    expect_near("dqkv", dx, expected, N * 3 * C);
}
END_TEST

START_TEST(gelu)
{
    float slope[N * C];
    static struct bounded derivative[N * C];
    for (int i = 0; i < N * C; i++)
        y[i] = 16 * x[i];
    for (int i = 0; i < N * C; i++) {
        struct bounded v = exact(y[i]), square_v = times(v, v), one = exact(1);
        struct bounded root = constant(2 * sqrt(2 / acos(-1)));
        struct bounded cubic = times(constant(0.044715), square_v);
        struct bounded z = times(times(root, v), plus(one, cubic));
        struct bounded dz = times(root, plus(one, times(exact(3), cubic)));
        struct bounded e = exponential((struct bounded){-fabs(z.value), z.error});
        struct bounded above = over(one, plus(one, e)), below = times(e, above);
        struct bounded share = z.value < 0 ? below : above;
        struct bounded curve = times(times(v, times(below, above)), dz);
        expected[i] = times(v, share);
        derivative[i] = plus(share, curve);

        /* The textbook has tanh, whose cancellation even double shows: two units in the
         * last place of 1, times the derivative of either formula by the tanh. */
        double value = v.value, u = z.value / 2, du = dz.value / 2, t = tanh(u);
        expected[i].error += DBL_EPSILON * fabs(value);
        expected[i].value = value / 2 * (1 + t);
        derivative[i].error += DBL_EPSILON * (1 + 2 * fabs(value) * du);
        derivative[i].value = (1 + t) / 2 + value / 2 * (1 - t * t) * du;
    }
    pp_gelu_forward(y, slope, N * C);
    expect_near("y", y, expected, N * C);
    expect_near("slope", slope, derivative, N * C);
}
END_TEST

START_TEST(head_and_loss)
{
    static struct bounded p[N][V];
    struct bounded loss = {0, 0};
    const float scale = 0.125f;
    pp_head_forward(y, x, w, N, C, V);
    for (int n = 0; n < N; n++)
        for (int v = 0; v < V; v++) {
            struct sum sum = {0};
            for (int c = 0; c < C; c++)
                add(&sum, times(exact(x[n * C + c]), exact(w[v * C + c])));
            expected[n * V + v] = p[n][v] = total(sum);
        }
    expect_near("logits", y, expected, N * V);
    for (int n = 0; n < N; n++) {
        softmax(p[n], V);
        /* -ln p(target): p's bound holds all that the loss is made of, and more. */
        struct bounded term = logarithm(p[n][targets[n]]);
        loss.value -= term.value;
        loss.error += term.error;
    }
    double found = pp_cross_entropy_forward(y, targets, N, V);
    ck_assert_double_eq_tol(found, loss.value, bound(loss));
    expect_near("probabilities", y, &p[0][0], N * V);

    pp_cross_entropy_backward_input(y, targets, scale, N, V);
    for (int n = 0; n < N; n++)
        for (int v = 0; v < V; v++) {
            struct bounded target = exact(v == targets[n]);
            expected[n * V + v] = times(minus(p[n][v], target), exact(scale));
        }
    expect_near("dlogits", y, expected, N * V);
}
END_TEST

/* The loss is right where the probability itself has vanished, and a shift of all
 * logits changes nothing: 300 and the logarithm of exp(0) + 0 + 0. */
START_TEST(loss_of_large_logits)
{
    float logits[3] = {1000, 1200, 900};
    int32_t target = 2;
    double loss = pp_cross_entropy_forward(logits, &target, 1, 3);
    ck_assert_double_eq_tol(loss, 300, bound(logarithm(exponential(exact(0)))));
}
END_TEST

START_TEST(loss_of_nan_is_nan)
{
    float logits[3] = {0, NAN, 0};
    int32_t target = 2;
    ck_assert_double_nan(pp_cross_entropy_forward(logits, &target, 1, 3));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference");
    TCase *layers = tcase_create("layers");
    tcase_add_checked_fixture(layers, setup, NULL);
    tcase_add_test(layers, embedding);
    tcase_add_test(layers, layernorm);
    tcase_add_test(layers, linear);
    tcase_add_test(layers, attention);
    tcase_add_test(layers, gelu);
    tcase_add_test(layers, head_and_loss);
    tcase_add_test(layers, loss_of_large_logits);
    tcase_add_test(layers, loss_of_nan_is_nan);
    suite_add_tcase(suite, layers);
    return unit_run(suite);
}
