/* The layers in float against a reference that takes the textbook's formulas one
 * element at a time, in double. */
#include <float.h>
#include <math.h>

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

/* Each result is a sum of so many rounded terms, in any order: the errors add up to
 * less than that many units in the last place of the largest, as long as the terms
 * are not much larger than it. A few more for what is done to the sum, and 4 for the
 * vector exp and tanh. */
static void expect_near(const char *name, const float *found, const double *expected,
                        int count, int terms)
{
    double worst = 0, largest = 0;
    for (int i = 0; i < count; i++) {
        double error = fabs((double)found[i] - expected[i]);
        worst = error <= worst ? worst : error; /* so that NaN is the worst of all */
        largest = fmax(largest, fabs(expected[i]));
    }
    double tolerance = (terms + 8) * 0.5 * (double)FLT_EPSILON * largest;
    ck_assert_msg(worst <= tolerance, "%s: off by %g, more than %g", name, worst,
                  tolerance);
}

static double expected[N * 3 * C];

START_TEST(embedding)
{
    pp_embedding_forward(y, tokens, w, x, B, T, C);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++)
            expected[n * C + c] =
                (double)w[tokens[n] * C + c] + (double)x[n % T * C + c];
    expect_near("x", y, expected, N * C, 1);

    pp_embedding_backward_weight(dw, dw + V * C, r, tokens, B, T, C);
    for (int i = 0; i < (V + T) * C; i++)
        expected[i] = 0;
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++) {
            expected[tokens[n] * C + c] += (double)r[n * C + c];
            expected[(V + n % T) * C + c] += (double)r[n * C + c];
        }
    expect_near("dwte and dwpe", dw, expected, (V + T) * C, N);
}
END_TEST

START_TEST(layernorm)
{
    pp_layernorm_forward(y, standard, rstd, x, w, b, N, C);
    static double s[N * C];
    double scale[N];
    for (int n = 0; n < N; n++) {
        double mean = 0, variance = 0;
        for (int c = 0; c < C; c++)
            mean += (double)x[n * C + c] / C;
        for (int c = 0; c < C; c++)
            variance += pow((double)x[n * C + c] - mean, 2) / C;
        scale[n] = 1 / sqrt(variance + 1e-5);
        for (int c = 0; c < C; c++) {
            s[n * C + c] = ((double)x[n * C + c] - mean) * scale[n];
            expected[n * C + c] = s[n * C + c] * (double)w[c] + (double)b[c];
        }
    }
    expect_near("y", y, expected, N * C, C);
    float again[N * C];
    pp_layernorm_again(again, standard, w, b, N, C);
    ck_assert_mem_eq(again, y, sizeof again);

    pp_layernorm_backward_input(dx, x, r, standard, rstd, w, N, C);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++) {
            /* Σ over j of dy_j dy_j/dx_c, from the Jacobian */
            double total = (double)x[n * C + c];
            for (int j = 0; j < C; j++)
                total += (double)r[n * C + j] * (double)w[j] * scale[n] *
                         ((j == c) - 1.0 / C - s[n * C + j] * s[n * C + c] / C);
            expected[n * C + c] = total;
        }
    expect_near("dx", dx, expected, N * C, C);

    pp_layernorm_backward_weight(dw, db, r, standard, N, C);
    for (int c = 0; c < C; c++) {
        expected[c] = expected[C + c] = 0;
        for (int n = 0; n < N; n++) {
            expected[c] += (double)r[n * C + c] * s[n * C + c];
            expected[C + c] += (double)r[n * C + c];
        }
    }
    expect_near("dw", dw, expected, C, N);
    expect_near("db", db, expected + C, C, N);
}
END_TEST

START_TEST(linear)
{
    pp_linear_forward(y, residual, x, w, b, N, C, M);
    for (int n = 0; n < N; n++)
        for (int j = 0; j < M; j++) {
            double total = (double)residual[n * M + j] + (double)b[j];
            for (int c = 0; c < C; c++)
                total += (double)x[n * C + c] * (double)w[c * M + j];
            expected[n * M + j] = total;
        }
    expect_near("y", y, expected, N * M, C);
    float alone[N * M];
    pp_linear_forward(alone, NULL, x, w, b, N, C, M);
    for (int i = 0; i < N * M; i++)
        expected[i] -= (double)residual[i];
    expect_near("y without residual", alone, expected, N * M, C);
    pp_linear_forward(residual, residual, x, w, b, N, C, M);
    ck_assert_mem_eq(residual, y, sizeof residual);

    pp_linear_backward_input(dx, r, w, N, C, M);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++) {
            expected[n * C + c] = 0;
            for (int j = 0; j < M; j++)
                expected[n * C + c] += (double)r[n * M + j] * (double)w[c * M + j];
        }
    expect_near("dx", dx, expected, N * C, M);

    pp_linear_backward_weight(dw, db, r, x, N, C, M);
    for (int j = 0; j < M; j++) {
        expected[C * M + j] = 0;
        for (int n = 0; n < N; n++)
            expected[C * M + j] += (double)r[n * M + j];
        for (int c = 0; c < C; c++) {
            expected[c * M + j] = 0;
            for (int n = 0; n < N; n++)
                expected[c * M + j] += (double)x[n * C + c] * (double)r[n * M + j];
        }
    }
    expect_near("dw", dw, expected, C * M, N);
    expect_near("db", db, expected + C * M, M, N);
}
END_TEST

/* Component d of a part (query 0, key 1, value 2) of position t of sequence s. */
static int at(int s, int t, int part, int head, int d)
{
    return (s * T + t) * 3 * C + part * C + head * D + d;
}

START_TEST(attention)
{
    static double p[B][H][T][T], dp[T][T];
    pp_attention_forward(y, weights, qkv, B, T, C, H);
    for (int i = 0; i < N * C; i++)
        expected[i] = 0;
    for (int s = 0; s < B; s++)
        for (int head = 0; head < H; head++)
            for (int t = 0; t < T; t++) {
                double total = 0;
                for (int u = 0; u <= t; u++) {
                    double score = 0;
                    for (int d = 0; d < D; d++)
                        score += (double)qkv[at(s, t, 0, head, d)] *
                                 (double)qkv[at(s, u, 1, head, d)];
                    p[s][head][t][u] = exp(score / sqrt(D));
                    total += p[s][head][t][u];
                }
                for (int u = 0; u <= t; u++) {
                    p[s][head][t][u] /= total;
                    for (int d = 0; d < D; d++)
                        expected[(s * T + t) * C + head * D + d] +=
                            p[s][head][t][u] * (double)qkv[at(s, u, 2, head, d)];
                }
            }
    expect_near("weights", weights, &p[0][0][0][0], B * H * T * T, D);
    expect_near("y", y, expected, N * C, T);

    pp_attention_backward_input(dx, square, r, weights, qkv, B, T, C, H);
    for (int i = 0; i < N * 3 * C; i++)
        expected[i] = 0;
    for (int s = 0; s < B; s++)
        for (int head = 0; head < H; head++)
            for (int t = 0; t < T; t++) {
                const double *p_t = p[s][head][t];
                const float *dy = r + (s * T + t) * C + head * D;
                for (int u = 0; u <= t; u++) {
                    dp[t][u] = 0;
                    for (int d = 0; d < D; d++) {
                        dp[t][u] += (double)dy[d] * (double)qkv[at(s, u, 2, head, d)];
                        expected[at(s, u, 2, head, d)] += p_t[u] * (double)dy[d];
                    }
                }
                for (int u = 0; u <= t; u++) {
                    /* Σ over j of dp_j dp_j/dscore_u */
                    double dscore = 0;
                    for (int j = 0; j <= t; j++)
                        dscore += dp[t][j] * p_t[j] * ((j == u) - p_t[u]);
                    for (int d = 0; d < D; d++) {
                        expected[at(s, t, 0, head, d)] +=
                            dscore * (double)qkv[at(s, u, 1, head, d)] / sqrt(D);
                        expected[at(s, u, 1, head, d)] +=
                            dscore * (double)qkv[at(s, t, 0, head, d)] / sqrt(D);
                    }
                }
            }
    expect_near("dqkv", dx, expected, N * 3 * C, T);
}
END_TEST

START_TEST(gelu)
{
    float slope[N * C];
    for (int i = 0; i < N * C; i++)
        y[i] = 16 * x[i];
    static double derivative[N * C];
    for (int i = 0; i < N * C; i++) {
        double v = (double)y[i], root = sqrt(2 / acos(-1));
        double t = tanh(root * (v + 0.044715 * v * v * v));
        expected[i] = v / 2 * (1 + t);
        derivative[i] =
            (1 + t) / 2 + v / 2 * (1 - t * t) * root * (1 + 3 * 0.044715 * v * v);
    }
    pp_gelu_forward(y, slope, N * C);
    expect_near("y", y, expected, N * C, 4);
    expect_near("slope", slope, derivative, N * C, 8);
}
END_TEST

START_TEST(head_and_loss)
{
    static double p[N][V];
    double loss = 0;
    const float scale = 0.125f;
    pp_head_forward(y, x, w, N, C, V);
    for (int n = 0; n < N; n++) {
        double total = 0;
        for (int v = 0; v < V; v++) {
            double logit = 0;
            for (int c = 0; c < C; c++)
                logit += (double)x[n * C + c] * (double)w[v * C + c];
            expected[n * V + v] = logit;
            total += exp(logit);
        }
        for (int v = 0; v < V; v++)
            p[n][v] = exp(expected[n * V + v]) / total;
        loss -= log(p[n][targets[n]]);
    }
    expect_near("logits", y, expected, N * V, C);
    double found = pp_cross_entropy_forward(y, targets, N, V);
    ck_assert_double_eq_tol(found, loss, V * (double)FLT_EPSILON * loss);
    expect_near("probabilities", y, &p[0][0], N * V, C);

    pp_cross_entropy_backward_input(y, targets, scale, N, V);
    for (int n = 0; n < N; n++)
        for (int v = 0; v < V; v++)
            expected[n * V + v] = (p[n][v] - (v == targets[n])) * (double)scale;
    expect_near("dlogits", y, expected, N * V, C);
}
END_TEST

/* The loss is exact where the probability itself has vanished, and a shift of all
 * logits changes nothing. */
START_TEST(loss_of_large_logits)
{
    float logits[3] = {1000, 1200, 900};
    int32_t target = 2;
    ck_assert_double_eq(pp_cross_entropy_forward(logits, &target, 1, 3), 300);
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
