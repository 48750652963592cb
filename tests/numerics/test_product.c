/* The products of a decoder: right, and a row's bits the same whatever rows it comes
 * with. The textbook's sum, in double, with a bound for each element (bounded.h). */
#include <stdlib.h>
#include <string.h>

#include "bounded.h"
#include "model/product.h"
#include "numerics.h"
#include "unit.h"

/* Inputs and outputs below, at and beyond the width of a panel, whatever the lanes. */
static const struct {
    int inputs, outputs;
} shapes[] = {{1, 1},   {3, 16},  {77, 31}, {64, 32},
              {42, 33}, {45, 64}, {26, 61}, {208, 126}};
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST = 33, BEYOND = 5 };

/* One product: rows farther apart than they are long. */
struct trial {
    int K, M;
    size_t x_stride, y_stride;
    float *w, *b, *x, *residual, *y;
    struct pp_panels panels;
};

static void trial_init(struct trial *trial, int K, int M)
{
    size_t weights = (size_t)K * (size_t)M, k = (size_t)K, m = (size_t)M;
    *trial =
        (struct trial){.K = K, .M = M, .x_stride = k + BEYOND, .y_stride = m + BEYOND};
    trial->w = numerics_array(weights);
    trial->b = numerics_array(m);
    trial->x = numerics_array(MOST * trial->x_stride);
    trial->residual = numerics_array(MOST * trial->y_stride);
    trial->y = numerics_array(MOST * trial->y_stride);
    numerics_fill(trial->w, weights, 1);
    numerics_fill(trial->b, m, 2);
    for (size_t n = 0; n < MOST; n++) { /* NaN between the rows */
        numerics_fill(trial->x + n * trial->x_stride, k, 3 + 2 * n);
        numerics_fill(trial->residual + n * trial->y_stride, m, 4 + 2 * n);
    }
    trial->panels = (struct pp_panels){K, M, numerics_array(pp_panels_count(K, M))};
    pp_panels_pack(&trial->panels, trial->w);
}

static void trial_release(struct trial *trial)
{
    free(trial->panels.data);
    free(trial->y);
    free(trial->residual);
    free(trial->x);
    free(trial->b);
    free(trial->w);
}

static void expect_row(const struct trial *trial, const float *residual, const float *b,
                       size_t n)
{
    for (size_t m = 0; m < (size_t)trial->M; m++) {
        struct sum sum = {0};
        for (size_t k = 0; k < (size_t)trial->K; k++)
            add(&sum, times(exact(trial->x[n * trial->x_stride + k]),
                            exact(trial->w[k * (size_t)trial->M + m])));
        if (b)
            add(&sum, exact(b[m]));
        if (residual)
            add(&sum, exact(residual[n * trial->y_stride + m]));
        struct bounded expected = total(sum);
        double found = (double)trial->y[n * trial->y_stride + m];
        ck_assert_msg(fabs(found - expected.value) <= bound(expected),
                      "row %zu, column %zu: %.9g instead of %.9g ± %g", n, m, found,
                      expected.value, bound(expected));
    }
}

START_TEST(products_are_right)
{
    struct trial trial;
    trial_init(&trial, shapes[_i].inputs, shapes[_i].outputs);
    pp_product(trial.y, trial.residual, trial.y_stride, trial.x, trial.x_stride,
               &trial.panels, trial.b, MOST);
    for (size_t n = 0; n < MOST; n++)
        expect_row(&trial, trial.residual, trial.b, n);
    pp_product(trial.y, NULL, trial.y_stride, trial.x, trial.x_stride, &trial.panels,
               NULL, MOST);
    for (size_t n = 0; n < MOST; n++)
        expect_row(&trial, NULL, NULL, n);
    for (size_t n = 0; n < MOST; n++) /* nothing is written behind a row */
        for (size_t m = (size_t)trial.M; m < trial.y_stride; m++)
            ck_assert_float_nan(trial.y[n * trial.y_stride + m]);
    trial_release(&trial);
}
END_TEST

/* In place, from any row, 1 to 33 of them: what the rows get one by one. */
START_TEST(rows_keep_their_bits)
{
    struct trial trial;
    trial_init(&trial, shapes[_i].inputs, shapes[_i].outputs);
    size_t bytes = (size_t)trial.M * sizeof(float);
    float *some = numerics_array(MOST * trial.y_stride);
    for (size_t n = 0; n < MOST; n++)
        pp_product(trial.y + n * trial.y_stride, trial.residual + n * trial.y_stride,
                   trial.y_stride, trial.x + n * trial.x_stride, trial.x_stride,
                   &trial.panels, trial.b, 1);
    for (size_t first = 0; first < 3; first++)
        for (size_t count = 1; first + count <= MOST; count++) {
            size_t at = first * trial.y_stride;
            memcpy(some, trial.residual + at, count * trial.y_stride * sizeof *some);
            pp_product(some, some, trial.y_stride, trial.x + first * trial.x_stride,
                       trial.x_stride, &trial.panels, trial.b, (int)count);
            for (size_t n = 0; n < count; n++)
                ck_assert_msg(memcmp(some + n * trial.y_stride,
                                     trial.y + at + n * trial.y_stride, bytes) == 0,
                              "row %zu of %zu", n, count);
        }
    free(some);
    trial_release(&trial);
}
END_TEST

/* An element is the same from whichever panel, and from whichever of its columns. */
START_TEST(columns_keep_their_bits)
{
    struct trial trial;
    enum { K = 77, M = 126, PART = 19 };
    float w[K * PART], y[MOST * PART];
    trial_init(&trial, K, M);
    pp_product(trial.y, NULL, trial.y_stride, trial.x, trial.x_stride, &trial.panels,
               trial.b, MOST);
    for (int first = 0; first + PART <= M; first += 7) {
        for (int k = 0; k < K; k++)
            memcpy(w + k * PART, trial.w + k * M + first, PART * sizeof *w);
        struct pp_panels part = {K, PART, numerics_array(pp_panels_count(K, PART))};
        pp_panels_pack(&part, w);
        pp_product(y, NULL, PART, trial.x, trial.x_stride, &part, trial.b + first,
                   MOST);
        for (size_t n = 0; n < MOST; n++)
            ck_assert_mem_eq(y + n * PART, trial.y + n * trial.y_stride + first,
                             PART * sizeof *y);
        free(part.data);
    }
    trial_release(&trial);
}
END_TEST

START_TEST(panels_hold_the_weights)
{
    int K = shapes[_i].inputs, M = shapes[_i].outputs;
    size_t count = pp_panels_count(K, M), k = (size_t)K, m = (size_t)M;
    float *w = numerics_array(k * m), *turned = numerics_array(k * m);
    float *column = numerics_array(k);
    struct pp_panels one = {K, M, numerics_array(count)}, other = one;
    other.data = numerics_array(count);
    numerics_fill(w, k * m, 1);
    for (size_t i = 0; i < k * m; i++)
        turned[i % m * k + i / m] = w[i];
    pp_panels_pack(&one, w);
    pp_panels_pack_transposed(&other, turned);
    ck_assert_mem_eq(one.data, other.data, count * sizeof *one.data);
    for (int j = 0; j < M; j++) {
        pp_panels_column(column, &one, j);
        ck_assert_mem_eq(column, turned + (size_t)j * k, k * sizeof *column);
    }
    free(other.data);
    free(one.data);
    free(column);
    free(turned);
    free(w);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("product");
    TCase *products = tcase_create("products");
    tcase_set_timeout(products, 60);
    tcase_add_loop_test(products, products_are_right, 0, SHAPES);
    tcase_add_loop_test(products, rows_keep_their_bits, 0, SHAPES);
    tcase_add_test(products, columns_keep_their_bits);
    tcase_add_loop_test(products, panels_hold_the_weights, 0, SHAPES);
    suite_add_tcase(suite, products);
    return unit_run(suite);
}
