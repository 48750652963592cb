/* The decoder's cache: blocks that are given, taken and counted; and attention over
 * them, against the textbook's in double, with a bound for each element (bounded.h),
 * its bits the same in every chunk and in whichever blocks. */
#include <stdlib.h>
#include <string.h>

#include "bounded.h"
#include "model/cache.h"
#include "numerics.h"
#include "unit.h"

/* Heads narrower than a block's lanes, as wide, wider, and of several vectors. */
static const int widths[] = {1, 11, 16, 23, 64, 83};
enum {
    WIDTHS = sizeof widths / sizeof *widths,
    H = 3,
    T = 75,
    SLOTS = 3,
    LAYERS = 2,
    BLOCKS = 12 /* too few for all */
};

static struct pp_model_config model_of(int width)
{
    return (struct pp_model_config){.layers = LAYERS,
                                    .d_model = H * width,
                                    .heads = H,
                                    .seq_len = T,
                                    .microbatch_size = 1,
                                    .vocab = 1};
}

static void cache_init(struct pp_cache *cache, int width)
{
    struct pp_error error = {0};
    struct pp_model_config config = model_of(width);
    ck_assert_int_eq(pp_cache_init(cache, &config, LAYERS, SLOTS, BLOCKS, &error), 0);
}

/* --- blocks --------------------------------------------------------------------- */

START_TEST(blocks_are_counted)
{
    struct pp_cache cache;
    struct pp_model_config config = model_of(16);
    cache_init(&cache, 16);
    ck_assert_int_eq(pp_cache_blocks_of(0), 0);
    ck_assert_int_eq(pp_cache_blocks_of(1), 1);
    ck_assert_int_eq(pp_cache_blocks_of(PP_BLOCK), 1);
    ck_assert_int_eq(pp_cache_blocks_of(PP_BLOCK + 1), 2);
    /* Whole vectors of keys and values, and nothing beside them. */
    ck_assert_uint_eq(cache.bytes,
                      sizeof(float) * 2 * LAYERS * BLOCKS * PP_BLOCK * H * 16);
    ck_assert_uint_eq(cache.bytes, pp_cache_bytes(&config, LAYERS, BLOCKS));

    ck_assert_int_eq(cache.free_count, BLOCKS);
    ck_assert_int_eq(pp_cache_reserve(&cache, 0, T), 0); /* 5 blocks */
    ck_assert_int_eq(pp_cache_reserve(&cache, 1, T), 0);
    ck_assert_int_eq(cache.free_count, 2);
    ck_assert_int_eq(pp_cache_reserve(&cache, 2, 2 * PP_BLOCK + 1), -1);
    ck_assert_int_eq(cache.free_count, 2);
    ck_assert_int_eq(pp_cache_reserve(&cache, 2, 1), 0);
    ck_assert_int_eq(pp_cache_reserve(&cache, 2, PP_BLOCK), 0); /* it has that */
    ck_assert_int_eq(cache.free_count, 1);
    pp_cache_free(&cache, 0);
    pp_cache_free(&cache, 0);
    ck_assert_int_eq(cache.free_count, 6);
    ck_assert_int_eq(pp_cache_reserve(&cache, 2, T), 0);
    ck_assert_int_eq(cache.free_count, 2);
    pp_cache_release(&cache);
}
END_TEST

/* No block is two slots', whoever came and went. */
START_TEST(blocks_are_one_slots)
{
    struct pp_cache cache;
    cache_init(&cache, 1);
    for (int turn = 0; turn < 50; turn++) {
        int seen[BLOCKS] = {0}, held = 0;
        pp_cache_free(&cache, turn % SLOTS);
        for (int s = 0; s < SLOTS; s++)
            pp_cache_reserve(&cache, (turn + s) % SLOTS, (turn * 31 + s * 17) % T + 1);
        for (int s = 0; s < SLOTS; s++)
            for (int i = 0; i < cache.held[s]; i++, held++)
                ck_assert_int_eq(seen[cache.table[s * cache.slot_blocks + i]]++, 0);
        ck_assert_int_eq(held + cache.free_count, BLOCKS);
    }
    pp_cache_release(&cache);
}
END_TEST

/* --- attention ------------------------------------------------------------------ */

struct rows {
    int D, C;
    size_t stride;  /* of qkv */
    float *qkv, *y; /* (T, 3C), (T, C) */
};

static void rows_init(struct rows *rows, int width)
{
    size_t C = (size_t)(H * width);
    *rows = (struct rows){.D = width, .C = (int)C, .stride = 3 * C + 5};
    rows->qkv = numerics_array(T * rows->stride);
    rows->y = numerics_array(T * C);
    for (size_t t = 0; t < T; t++) {
        numerics_fill(rows->qkv + t * rows->stride, 3 * C, t);
        for (size_t c = 0; c < 2 * C; c++) /* so that weights differ */
            rows->qkv[t * rows->stride + c] *= 4;
    }
}

static void rows_release(struct rows *rows)
{
    free(rows->y);
    free(rows->qkv);
}

/* Rows [position, position + count) of a slot, into y. */
static void attend(struct pp_cache *cache, const struct rows *rows, int layer, int slot,
                   int position, int count, float *y)
{
    const float *qkv = rows->qkv + (size_t)position * rows->stride;
    ck_assert_int_eq(pp_cache_reserve(cache, slot, position + count), 0);
    pp_cache_store(cache, layer, slot, position, count, qkv, rows->stride);
    pp_cache_attend(y, (size_t)rows->C, cache, layer, slot, position, count, qkv,
                    rows->stride);
}

/* y (D) of a head at position t. */
static void textbook_head(struct bounded *y, const struct rows *rows, size_t t,
                          int head)
{
    size_t C = (size_t)rows->C, D = (size_t)rows->D, at = (size_t)head * D;
    struct bounded p[T], most = {-INFINITY, 0};
    struct bounded scale = over(exact(1), square_root(exact((float)D)));
    struct sum all = {0};
    const float *q = rows->qkv + t * rows->stride + at;
    for (size_t u = 0; u <= t; u++) {
        const float *k = rows->qkv + u * rows->stride + C + at;
        struct sum score = {0};
        for (size_t d = 0; d < D; d++)
            add(&score, times(times(exact(q[d]), exact(k[d])), scale));
        p[u] = total(score);
        most.value = fmax(most.value, p[u].value);
        most.error = fmax(most.error, p[u].error);
    }
    for (size_t u = 0; u <= t; u++) {
        p[u] = exponential(minus(p[u], most));
        add(&all, p[u]);
    }
    struct bounded inverse = over(exact(1), total(all));
    for (size_t d = 0; d < D; d++) {
        struct sum sum = {0};
        for (size_t u = 0; u <= t; u++)
            add(&sum, times(times(p[u], inverse),
                            exact(rows->qkv[u * rows->stride + 2 * C + at + d])));
        y[d] = total(sum);
    }
}

START_TEST(attention_is_right)
{
    struct pp_cache cache;
    struct rows rows;
    struct bounded expected[128];
    cache_init(&cache, widths[_i]);
    rows_init(&rows, widths[_i]);
    attend(&cache, &rows, 1, 2, 0, T, rows.y);
    for (size_t t = 0; t < T; t++)
        for (int h = 0; h < H; h++) {
            textbook_head(expected, &rows, t, h);
            for (int d = 0; d < rows.D; d++) {
                double found =
                    (double)rows.y[t * (size_t)rows.C + (size_t)(h * rows.D + d)];
                ck_assert_msg(fabs(found - expected[d].value) <= bound(expected[d]),
                              "position %zu, head %d, %d: %.9g instead of %.9g ± %g", t,
                              h, d, found, expected[d].value, bound(expected[d]));
            }
        }
    rows_release(&rows);
    pp_cache_release(&cache);
}
END_TEST

/* In chunks of every size, in either layer, in blocks that another sequence has left.
 */
START_TEST(chunks_and_blocks_keep_the_bits)
{
    struct pp_cache cache;
    struct rows rows, others;
    cache_init(&cache, widths[_i]);
    rows_init(&rows, widths[_i]);
    rows_init(&others, widths[_i]);
    size_t row = (size_t)rows.C, elements = T * others.stride;
    for (size_t i = 0; i < elements; i++)
        others.qkv[i] *= -1000; /* of unlike magnitudes */
    for (int t = 0; t < T; t++)
        attend(&cache, &rows, 0, 1, t, 1, rows.y + (size_t)t * row);
    for (int chunk = 1; chunk <= 33; chunk++) {
        int layer = chunk % LAYERS, slot = chunk % SLOTS;
        for (int s = 0; s < SLOTS; s++)
            pp_cache_free(&cache, (s + chunk / 2) % SLOTS);
        attend(&cache, &others, layer, slot, 0, T, others.y);
        pp_cache_free(&cache, slot);
        ck_assert_int_eq(pp_cache_reserve(&cache, (slot + 1) % SLOTS, chunk), 0);
        for (int t = 0, count; t < T; t += count) {
            count = T - t < chunk ? T - t : chunk;
            attend(&cache, &rows, layer, slot, t, count, others.y);
            ck_assert_msg(memcmp(others.y, rows.y + (size_t)t * row,
                                 (size_t)count * row * sizeof *rows.y) == 0,
                          "chunk of %d at %d", count, t);
        }
    }
    rows_release(&others);
    rows_release(&rows);
    pp_cache_release(&cache);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cache");
    TCase *blocks = tcase_create("blocks"), *attention = tcase_create("attention");
    tcase_set_timeout(attention, 60);
    tcase_add_test(blocks, blocks_are_counted);
    tcase_add_test(blocks, blocks_are_one_slots);
    tcase_add_loop_test(attention, attention_is_right, 0, WIDTHS);
    tcase_add_loop_test(attention, chunks_and_blocks_keep_the_bits, 0, WIDTHS);
    suite_add_tcase(suite, blocks);
    suite_add_tcase(suite, attention);
    return unit_run(suite);
}
