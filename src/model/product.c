#include "model/product.h"

#include <assert.h>
#include <string.h>

#include "model/fused.h"

/* A tile of y is TALL rows of a panel's width. Its sums stay in registers, beside a row
 * of the panel and an element of x: 32 registers with AVX-512, else 16. */
enum {
    WIDE = 2,
    PANEL = WIDE * PP_LANES,
#if defined __AVX512F__
    TALL = 12,
#else
    TALL = 6,
#endif
};

static int panel_count(int outputs)
{
    return (outputs + PANEL - 1) / PANEL;
}

static size_t panel_size(int inputs)
{
    return (size_t)inputs * PANEL;
}

size_t pp_panels_count(int inputs, int outputs)
{
    return (size_t)panel_count(outputs) * panel_size(inputs);
}

static float *element(const struct pp_panels *panels, int k, int m)
{
    size_t panel = (size_t)(m / PANEL);
    return panels->data + panel * panel_size(panels->inputs) + (size_t)k * PANEL +
           m % PANEL;
}

/* w's element of input k and output m is w[k * by_input + m * by_output]. */
static void pack(const struct pp_panels *panels, const float *w, size_t by_input,
                 size_t by_output)
{
    int K = panels->inputs, M = panels->outputs;
    for (int start = 0; start < M; start += PANEL) {
        float *row = element(panels, 0, start);
        int width = M - start < PANEL ? M - start : PANEL;
        for (int k = 0; k < K; k++, row += PANEL)
            for (int m = 0; m < PANEL; m++)
                row[m] = m < width
                             ? w[(size_t)k * by_input + (size_t)(start + m) * by_output]
                             : 0;
    }
}

void pp_panels_pack(const struct pp_panels *panels, const float *w)
{
    pack(panels, w, (size_t)panels->outputs, 1);
}

void pp_panels_pack_transposed(const struct pp_panels *panels, const float *w)
{
    pack(panels, w, 1, (size_t)panels->inputs);
}

void pp_panels_column(float *column, const struct pp_panels *panels, int m)
{
    for (int k = 0; k < panels->inputs; k++)
        column[k] = *element(panels, k, m);
}

/* One tile: y (rows, PANEL) = b + x panel + residual. rows is a constant where this is
 * inlined, so that the sums are registers. */
__attribute__((always_inline)) static inline void
tile(int rows, float *y, const float *residual, size_t y_stride, const float *x,
     size_t x_stride, const float *panel, int K, const float *b)
{
    pp_vector sums[TALL][WIDE];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (int i = 0; i < WIDE; i++)
            sums[r][i] = *(const pp_vector *)(b + i * PP_LANES);
    for (int k = 0; k < K; k++) {
        const float *w = panel + (size_t)k * PANEL;
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            pp_vector v = pp_spread(x[(size_t)r * x_stride + (size_t)k]);
#pragma GCC unroll 16
            for (int i = 0; i < WIDE; i++)
                sums[r][i] =
                    pp_fused(v, *(const pp_vector *)(w + i * PP_LANES), sums[r][i]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (int i = 0; i < WIDE; i++) {
            size_t at = (size_t)r * y_stride + (size_t)(i * PP_LANES);
            if (residual)
                sums[r][i] += *(const pp_vector *)(residual + at);
            *(pp_vector *)(y + at) = sums[r][i];
        }
}

/* A tile of as many rows as there are, at most TALL. */
static void tile_of(int rows, float *y, const float *residual, size_t y_stride,
                    const float *x, size_t x_stride, const float *panel, int K,
                    const float *b)
{
    assert(rows >= 1 && rows <= TALL);
    switch (rows) {
#define ROWS(count)                                                                    \
    case count:                                                                        \
        tile(count, y, residual, y_stride, x, x_stride, panel, K, b);                  \
        break
        ROWS(1);
        ROWS(2);
        ROWS(3);
        ROWS(4);
        ROWS(5);
        ROWS(6);
#if defined __AVX512F__
        ROWS(7);
        ROWS(8);
        ROWS(9);
        ROWS(10);
        ROWS(11);
        ROWS(12);
#endif
#undef ROWS
    }
}

/* The same for the last panel, of which only width columns exist. */
static void narrow_tile(int rows, int width, float *y, const float *residual,
                        size_t y_stride, const float *x, size_t x_stride,
                        const float *panel, int K, const float *b)
{
    float whole[TALL * PANEL];
    tile_of(rows, whole, NULL, PANEL, x, x_stride, panel, K, b);
    for (int r = 0; r < rows; r++)
        for (int m = 0; m < width; m++) {
            size_t at = (size_t)r * y_stride + (size_t)m;
            float sum = whole[r * PANEL + m];
            y[at] = residual ? sum + residual[at] : sum;
        }
}

void pp_product(float *y, const float *residual, size_t y_stride, const float *x,
                size_t x_stride, const struct pp_panels *panels, const float *b, int N)
{
    int K = panels->inputs, M = panels->outputs;
    /* A panel stays in the cache for all rows, so that it is read from memory once. */
    for (int m = 0; m < M; m += PANEL) {
        const float *panel = element(panels, 0, m);
        int width = M - m < PANEL ? M - m : PANEL;
        float bias[PANEL] = {0};
        if (b)
            memcpy(bias, b + m, (size_t)width * sizeof *b);
        for (int n = 0, rows; n < N; n += rows) {
            int tiles = (N - n + TALL - 1) / TALL; /* of rows as even as may be */
            rows = (N - n + tiles - 1) / tiles;
            size_t at = (size_t)n * y_stride + (size_t)m;
            const float *x_n = x + (size_t)n * x_stride;
            const float *r_n = residual ? residual + at : NULL;
            if (width == PANEL)
                tile_of(rows, y + at, r_n, y_stride, x_n, x_stride, panel, K, bias);
            else
                narrow_tile(rows, width, y + at, r_n, y_stride, x_n, x_stride, panel, K,
                            bias);
        }
    }
}
