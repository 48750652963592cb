#include "model/layers.h"

#include <math.h>

#include "model/blas.h"
#include "model/vector_math.h"

/* A cache line of reals, at any address. Sums keep one partial sum per lane: the
 * compiler may not reorder an addition, so the order is chosen here to fit it. */
typedef real lanes
    __attribute__((vector_size(PP_ALIGN), aligned(sizeof(real)), may_alias));
enum { LANES = PP_ALIGN / sizeof(real) };

static inline real sum_of_lanes(const lanes *v)
{
    real s[LANES];
    for (int i = 0; i < LANES; i++)
        s[i] = (*v)[i];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            s[i] += s[i + width];
    return s[0];
}

static inline real sum(const real *x, int count)
{
    lanes partial = {0};
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        partial += *(const lanes *)(x + i);
    for (int lane = 0; i < count; i++, lane++)
        partial[lane] += x[i];
    return sum_of_lanes(&partial);
}

static inline real dot(const real *x, const real *y, int count)
{
    lanes partial = {0};
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        partial += *(const lanes *)(x + i) * *(const lanes *)(y + i);
    for (int lane = 0; i < count; i++, lane++)
        partial[lane] += x[i] * y[i];
    return sum_of_lanes(&partial);
}

/* The maximum does not depend on the order, so the plain lanes are only for speed. */
static inline real maximum(const real *x, int count)
{
    real most[LANES];
    for (int lane = 0; lane < LANES; lane++)
        most[lane] = x[0];
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
    for (; i < count; i++)
        most[0] = x[i] > most[0] ? x[i] : most[0];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int lane = 0; lane < width; lane++)
            most[lane] =
                most[lane + width] > most[lane] ? most[lane + width] : most[lane];
    return most[0];
}

static struct pp_matrix as_is(const real *data, int stride)
{
    return (struct pp_matrix){data, stride, false};
}

static struct pp_matrix transposed(const real *data, int stride)
{
    return (struct pp_matrix){data, stride, true};
}

/* --- embedding ------------------------------------------------------------------ */

void pp_embedding_forward(real *x, const int32_t *tokens, const real *wte,
                          const real *wpe, int B, int T, int C)
{
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++) {
            size_t n = (size_t)b * (size_t)T + (size_t)t;
            real *restrict x_n = x + n * (size_t)C;
            const real *token = wte + (size_t)tokens[n] * (size_t)C;
            const real *position = wpe + (size_t)t * (size_t)C;
            for (int c = 0; c < C; c++)
                x_n[c] = token[c] + position[c];
        }
}

void pp_embedding_backward_weight(real *dwte, real *dwpe, const real *dx,
                                  const int32_t *tokens, int B, int T, int C)
{
    for (int b = 0; b < B; b++)
        for (int t = 0; t < T; t++) {
            size_t n = (size_t)b * (size_t)T + (size_t)t;
            const real *dx_n = dx + n * (size_t)C;
            real *restrict dtoken = dwte + (size_t)tokens[n] * (size_t)C;
            real *restrict dposition = dwpe + (size_t)t * (size_t)C;
            /* x_n[c] = token[c] + position[c] */
            for (int c = 0; c < C; c++) {
                dtoken[c] += dx_n[c];
                dposition[c] += dx_n[c];
            }
        }
}

/* --- layer normalisation -------------------------------------------------------- */

void pp_layernorm_forward(real *y, real *standard, real *rstd, const real *x,
                          const real *w, const real *b, int N, int C)
{
    const real epsilon = (real)1e-5;
    for (int n = 0; n < N; n++) {
        size_t row = (size_t)n * (size_t)C;
        real *restrict s_n = standard + row;
        const real *restrict x_n = x + row;
        real mean = sum(x_n, C) / (real)C;
        for (int c = 0; c < C; c++)
            s_n[c] = x_n[c] - mean;
        real variance = dot(s_n, s_n, C) / (real)C;
        rstd[n] = 1 / pp_sqrt(variance + epsilon);
        for (int c = 0; c < C; c++)
            s_n[c] = s_n[c] * rstd[n];
    }
    pp_layernorm_recompute(y, standard, w, b, N, C);
}

void pp_layernorm_recompute(real *y, const real *standard, const real *w, const real *b,
                            int N, int C)
{
    for (int n = 0; n < N; n++) {
        real *restrict y_n = y + (size_t)n * (size_t)C;
        const real *restrict s_n = standard + (size_t)n * (size_t)C;
        for (int c = 0; c < C; c++)
            y_n[c] = s_n[c] * w[c] + b[c];
    }
}

void pp_layernorm_backward_input(real *dx, const real *dresidual, const real *dy,
                                 const real *standard, const real *rstd, const real *w,
                                 int N, int C)
{
    for (int n = 0; n < N; n++) {
        size_t row = (size_t)n * (size_t)C;
        real *restrict dx_n = dx + row;
        const real *dy_n = dy + row, *s_n = standard + row;
        /* y_n[c] = s_n[c] * w[c] + b[c] */
        for (int c = 0; c < C; c++)
            dx_n[c] = dy_n[c] * w[c];
        /* s_n[c] = (x_n[c] - mean) * rstd: besides the direct part, every x_n[c] moves
         * the mean and the deviation. */
        real mean = sum(dx_n, C) / (real)C;
        real along = dot(dx_n, s_n, C) / (real)C;
        for (int c = 0; c < C; c++)
            dx_n[c] = (dx_n[c] - mean - s_n[c] * along) * rstd[n];
        if (dresidual) {
            const real *dr_n = dresidual + row;
            for (int c = 0; c < C; c++)
                dx_n[c] += dr_n[c];
        }
    }
}

void pp_layernorm_backward_weight(real *dw, real *db, const real *dy,
                                  const real *standard, int N, int C)
{
    for (int n = 0; n < N; n++) {
        real *restrict dw_ = dw, *restrict db_ = db;
        const real *dy_n = dy + (size_t)n * (size_t)C;
        const real *s_n = standard + (size_t)n * (size_t)C;
        /* y_n[c] = s_n[c] * w[c] + b[c] */
        for (int c = 0; c < C; c++) {
            dw_[c] += dy_n[c] * s_n[c];
            db_[c] += dy_n[c];
        }
    }
}

/* --- linear --------------------------------------------------------------------- */

void pp_linear_forward(real *y, const real *residual, const real *x, const real *w,
                       const real *b, int N, int K, int M)
{
    /* The product is added to rows that hold the rest already: BLAS would otherwise
     * clear them first, at the same cost. */
    for (int n = 0; n < N; n++) {
        real *y_n = y + (size_t)n * (size_t)M;
        const real *r_n = residual ? residual + (size_t)n * (size_t)M : NULL;
        for (int j = 0; j < M; j++)
            y_n[j] = r_n ? r_n[j] + b[j] : b[j];
    }
    /* y = y + x W */
    pp_gemm(N, M, K, 1, as_is(x, K), as_is(w, M), 1, y, M);
}

void pp_linear_backward_input(real *dx, const real *dy, const real *w, int N, int K,
                              int M)
{
    /* y = y + x W */
    pp_gemm(N, K, M, 1, as_is(dy, M), transposed(w, M), 0, dx, K);
}

void pp_linear_backward_weight(real *dw, real *db, const real *dy, const real *x, int N,
                               int K, int M)
{
    /* y = y + x W */
    pp_gemm(K, M, N, 1, transposed(x, K), as_is(dy, M), 1, dw, M);
    /* y_n[j] = … + b[j] */
    for (int n = 0; n < N; n++) {
        real *restrict db_ = db;
        const real *dy_n = dy + (size_t)n * (size_t)M;
        for (int j = 0; j < M; j++)
            db_[j] += dy_n[j];
    }
}

/* --- attention ------------------------------------------------------------------ */

/* Exponentials of row[count] relative to its maximum, which is returned. Only the first
 * seen scores count; the others, computed but not seen, become 0. Whole lanes are
 * computed where only a part is seen: cheaper than the scalar remainder of a loop, and
 * capped at exp(0) because what is not seen may exceed the maximum. */
static real exponentials(real *row, int seen, int count)
{
    int whole = (seen + LANES - 1) / LANES * LANES;
    int computed = whole < count ? whole : count;
    real most = maximum(row, seen);
    for (int i = 0; i < computed; i++) {
        real below = row[i] - most;
        row[i] = pp_exp(below > 0 ? 0 : below);
    }
    for (int i = seen; i < count; i++)
        row[i] = 0;
    return most;
}

/* Position of head h of sequence b in a buffer of rows of stride, in its part (query
 * 0, key 1, value 2 of a buffer of 3C; 0 in one of C). */
static size_t head_at(int b, int h, int part, int T, int C, int H, int stride)
{
    return (size_t)b * (size_t)T * (size_t)stride + (size_t)part * (size_t)C +
           (size_t)h * (size_t)(C / H);
}

void pp_attention_forward(real *y, real *p, const real *qkv, int B, int T, int C, int H)
{
    int D = C / H;
    real scale = 1 / pp_sqrt((real)D);
    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++) {
            const real *q = qkv + head_at(b, h, 0, T, C, H, 3 * C);
            const real *k = qkv + head_at(b, h, 1, T, C, H, 3 * C);
            const real *v = qkv + head_at(b, h, 2, T, C, H, 3 * C);
            real *p_bh =
                p + ((size_t)b * (size_t)H + (size_t)h) * (size_t)T * (size_t)T;
            real *y_bh = y + head_at(b, h, 0, T, C, H, C);

            /* S (T, T) = scale q kᵀ */
            pp_gemm(T, T, D, scale, as_is(q, 3 * C), transposed(k, 3 * C), 0, p_bh, T);
            /* p = softmax of each row of S, up to the diagonal */
            for (int t = 0; t < T; t++) {
                real *p_t = p_bh + (size_t)t * (size_t)T;
                exponentials(p_t, t + 1, T);
                real inverse = 1 / sum(p_t, T);
                for (int i = 0; i < T; i++)
                    p_t[i] *= inverse;
            }
            /* y = p v */
            pp_gemm(T, D, T, 1, as_is(p_bh, T), as_is(v, 3 * C), 0, y_bh, C);
        }
}

void pp_attention_backward_input(real *dqkv, real *dp, const real *dy, const real *p,
                                 const real *qkv, int B, int T, int C, int H)
{
    int D = C / H;
    real scale = 1 / pp_sqrt((real)D);
    for (int b = 0; b < B; b++)
        for (int h = 0; h < H; h++) {
            size_t at_q = head_at(b, h, 0, T, C, H, 3 * C);
            size_t at_k = head_at(b, h, 1, T, C, H, 3 * C);
            size_t at_v = head_at(b, h, 2, T, C, H, 3 * C);
            const real *p_bh =
                p + ((size_t)b * (size_t)H + (size_t)h) * (size_t)T * (size_t)T;
            const real *dy_bh = dy + head_at(b, h, 0, T, C, H, C);

            /* y = p v */
            pp_gemm(T, D, T, 1, transposed(p_bh, T), as_is(dy_bh, C), 0, dqkv + at_v,
                    3 * C);
            pp_gemm(T, T, D, 1, as_is(dy_bh, C), transposed(qkv + at_v, 3 * C), 0, dp,
                    T);
            /* p = softmax of each row of S: dS = p (dp - Σ p dp), 0 where p is */
            for (int t = 0; t < T; t++) {
                const real *restrict p_t = p_bh + (size_t)t * (size_t)T;
                real *restrict dp_t = dp + (size_t)t * (size_t)T;
                real mean = dot(p_t, dp_t, T);
                for (int i = 0; i < T; i++)
                    dp_t[i] = p_t[i] * (dp_t[i] - mean);
            }
            /* S = scale q kᵀ */
            pp_gemm(T, D, T, scale, as_is(dp, T), as_is(qkv + at_k, 3 * C), 0,
                    dqkv + at_q, 3 * C);
            pp_gemm(T, D, T, scale, transposed(dp, T), as_is(qkv + at_q, 3 * C), 0,
                    dqkv + at_k, 3 * C);
        }
}

/* --- GELU ----------------------------------------------------------------------- */

/* (1 + tanh u) / 2 is the logistic function of z = 2u, and it is computed as that. The
 * tanh of a large u is so near to 1 that its last places decide 1 + tanh u and
 * 1 - tanh² u, and the slope multiplies them by u'. With e = exp(-|z|), which cannot
 * overflow, both come from products and quotients alone:
 *     logistic(z) = 1 / (1 + e), or e / (1 + e) where z < 0
 *     logistic(z) (1 - logistic(z)) = e / (1 + e)² */
void pp_gelu_forward(real *restrict x, real *restrict slope, size_t count)
{
    const real twice_root = (real)1.59576912160573071176; /* 2 sqrt(2 / pi) */
    const real cubic = (real)0.044715;
    for (size_t i = 0; i < count; i++) {
        /* z = 2 sqrt(2 / pi) (x + cubic x³), gelu = x logistic(z) */
        real v = x[i], square = v * v;
        real z = twice_root * v * (1 + cubic * square);
        real dz = twice_root * (1 + 3 * cubic * square);
        real e = pp_exp(z < 0 ? z : -z);
        real above = 1 / (1 + e), below = e * above;
        real share = z < 0 ? below : above;
        x[i] = v * share;
        slope[i] = share + v * (below * above) * dz;
    }
}

void pp_gelu_backward_input(real *restrict dx, const real *restrict slope, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dx[i] *= slope[i];
}

/* --- head and loss -------------------------------------------------------------- */

void pp_head_forward(real *logits, const real *x, const real *w, int N, int C, int V)
{
    pp_gemm(N, V, C, 1, as_is(x, C), transposed(w, C), 0, logits, V);
}

void pp_head_backward_input(real *dx, const real *dlogits, const real *w, int N, int C,
                            int V)
{
    /* logits = x Wᵀ */
    pp_gemm(N, C, V, 1, as_is(dlogits, V), as_is(w, C), 0, dx, C);
}

void pp_head_backward_weight(real *dw, const real *dlogits, const real *x, int N, int C,
                             int V)
{
    /* logits = x Wᵀ */
    pp_gemm(V, C, N, 1, transposed(dlogits, V), as_is(x, C), 1, dw, C);
}

double pp_cross_entropy_forward(real *p, const int32_t *targets, int N, int V)
{
    double loss = 0;
    for (int n = 0; n < N; n++) {
        real *p_n = p + (size_t)n * (size_t)V;
        real logit = p_n[targets[n]];
        real most = exponentials(p_n, V, V);
        real total = sum(p_n, V);
        real inverse = 1 / total;
        for (int v = 0; v < V; v++)
            p_n[v] *= inverse;
        /* -ln p(target), from the logits: p itself may have vanished */
        loss += log((double)total) - ((double)logit - (double)most);
    }
    return loss;
}

void pp_cross_entropy_backward_input(real *p, const int32_t *targets, real scale, int N,
                                     int V)
{
    for (int n = 0; n < N; n++) {
        real *p_n = p + (size_t)n * (size_t)V;
        /* loss += ln Σ exp(logit) - logit[target] */
        p_n[targets[n]] -= 1;
        for (int v = 0; v < V; v++)
            p_n[v] *= scale;
    }
}
