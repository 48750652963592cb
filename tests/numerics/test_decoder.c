/* The decoder: its rows' bits do not depend on chunks, neighbours, split or blocks; and
 * what it generates is what the textbook's model would, in double. */
#include <stdlib.h>
#include <string.h>

#include "bounded_gpt2.h"
#include "model/blas.h"
#include "model/decoder.h"
#include "numerics.h"
#include "unit.h"

/* Widths that fill no vector, heads that fill no lanes, more positions than blocks. */
static const struct pp_model_config model = {.layers = 3,
                                             .d_model = 42,
                                             .heads = 3,
                                             .seq_len = 208,
                                             .microbatch_size = 1,
                                             .vocab = 61};
enum { MOST_ROWS = 40, SLOTS = 4, MOST_STAGES = 3, LENGTH = 70 };

/* A model split over decoders, with a cache each. */
struct pipeline {
    struct pp_model_config config;
    int stages;
    struct pp_decoder decoders[MOST_STAGES];
    struct pp_cache caches[MOST_STAGES];
};

static void pipeline_init(struct pipeline *pipeline,
                          const struct pp_model_config *config, const int *layers_of,
                          float *const *tensors)
{
    struct pp_error error = {0};
    int first = 0, blocks = SLOTS * pp_cache_blocks_of(config->seq_len);
    *pipeline = (struct pipeline){.config = *config};
    for (int s = 0; first < config->layers; s++) {
        struct pp_decoder *decoder = &pipeline->decoders[s];
        bool head = first + layers_of[s] == config->layers;
        ck_assert_int_eq(pp_decoder_init(decoder, config, first, layers_of[s], s == 0,
                                         head, MOST_ROWS, &error),
                         0);
        for (int i = 0; i < pp_model_tensor_count(config); i++)
            if (pp_decoder_holds(decoder, i))
                pp_decoder_set(decoder, i, tensors[i]);
        ck_assert_int_eq(pp_cache_init(&pipeline->caches[s], config, layers_of[s],
                                       SLOTS, blocks, &error),
                         0);
        first += layers_of[s];
        pipeline->stages++;
    }
}

static void pipeline_release(struct pipeline *pipeline)
{
    for (int s = 0; s < pipeline->stages; s++) {
        pp_cache_release(&pipeline->caches[s]);
        pp_decoder_release(&pipeline->decoders[s]);
    }
}

/* x (N, C) of the pieces through all stages, their blocks reserved here. */
static void forward(struct pipeline *pipeline, const struct pp_piece *pieces, int count,
                    const int32_t *tokens, float *x)
{
    for (int s = 0; s < pipeline->stages; s++) {
        for (int i = 0; i < count; i++)
            ck_assert_int_eq(pp_cache_reserve(&pipeline->caches[s], pieces[i].slot,
                                              pieces[i].position + pieces[i].count),
                             0);
        pp_decoder_forward(&pipeline->decoders[s], &pipeline->caches[s], pieces, count,
                           s == 0 ? tokens : NULL, x);
    }
}

static void logits_of(struct pipeline *pipeline, const float *x, int row, float *logits)
{
    pp_decoder_logits(&pipeline->decoders[pipeline->stages - 1], x, &row, 1, logits);
}

/* --- the same bits -------------------------------------------------------------- */

/* Rows x (LENGTH, C) of a sequence alone, position by position. */
static void one_by_one(const struct pp_model_config *config, float *const *tensors,
                       const int32_t *tokens, float *x)
{
    const int whole[MOST_STAGES] = {config->layers};
    struct pipeline pipeline;
    pipeline_init(&pipeline, config, whole, tensors);
    for (int t = 0; t < LENGTH; t++)
        forward(&pipeline, &(struct pp_piece){0, t, 1}, 1, tokens + t,
                x + t * config->d_model);
    pipeline_release(&pipeline);
}

static float **tensors;
static int32_t tokens[SLOTS][LENGTH];
static float *alone[SLOTS]; /* (LENGTH, C) */

static void setup(void)
{
    tensors = bounded_gpt2_tensors(&model);
    for (int s = 0; s < SLOTS; s++) {
        numerics_tokens(tokens[s], LENGTH, model.vocab, (uint64_t)s);
        alone[s] = numerics_array((size_t)(LENGTH * model.d_model));
        one_by_one(&model, tensors, tokens[s], alone[s]);
    }
}

static void teardown(void)
{
    for (int s = 0; s < SLOTS; s++)
        free(alone[s]);
    bounded_gpt2_release(&model, tensors);
}

static const int splits[][MOST_STAGES] = {{3}, {1, 2}, {2, 1}, {1, 1, 1}};
enum { SPLITS = sizeof splits / sizeof *splits };

/* Four sequences at once, each in chunks of its own size, whatever the split. */
START_TEST(rows_depend_on_their_sequence_alone)
{
    static const int chunks[SLOTS] = {1, 3, 17, 19};
    struct pipeline pipeline;
    int C = model.d_model, done[SLOTS] = {0};
    size_t row = (size_t)C * sizeof(float);
    float *x = numerics_array((size_t)(MOST_ROWS * C));
    pipeline_init(&pipeline, &model, splits[_i], tensors);
    for (;;) {
        struct pp_piece pieces[SLOTS];
        int32_t batch[MOST_ROWS];
        int count = 0, rows = 0;
        for (int s = 0; s < SLOTS; s++) {
            int rest = LENGTH - done[s];
            if (rest == 0)
                continue;
            pieces[count] =
                (struct pp_piece){s, done[s], rest < chunks[s] ? rest : chunks[s]};
            memcpy(batch + rows, tokens[s] + done[s],
                   (size_t)pieces[count].count * sizeof *batch);
            rows += pieces[count++].count;
        }
        if (count == 0)
            break;
        forward(&pipeline, pieces, count, batch, x);
        for (int i = 0, n = 0; i < count; n += pieces[i++].count) {
            int s = pieces[i].slot;
            ck_assert_mem_eq(x + n * C, alone[s] + done[s] * C,
                             (size_t)pieces[i].count * row);
            done[s] += pieces[i].count;
        }
    }
    free(x);
    pipeline_release(&pipeline);
}
END_TEST

/* A slot whose sequence has left, and blocks that it and others have used. */
START_TEST(used_blocks_change_nothing)
{
    struct pipeline pipeline;
    int C = model.d_model;
    float *x = numerics_array((size_t)(MOST_ROWS * C));
    pipeline_init(&pipeline, &model, splits[0], tensors);
    struct pp_cache *cache = &pipeline.caches[0];
    for (int s = 0; s < SLOTS; s++)
        forward(&pipeline, &(struct pp_piece){s, 0, MOST_ROWS}, 1, tokens[s], x);
    pp_cache_free(cache, 2);
    pp_cache_free(cache, 0);
    for (int t = 0; t < LENGTH; t += 35) {
        forward(&pipeline, &(struct pp_piece){2, t, 35}, 1, tokens[1] + t, x);
        ck_assert_mem_eq(x, alone[1] + t * C, (size_t)(35 * C) * sizeof *x);
    }
    free(x);
    pipeline_release(&pipeline);
}
END_TEST

START_TEST(logits_of_rows_at_once)
{
    struct pipeline pipeline;
    int V = model.vocab, rows[33];
    float *one = numerics_array((size_t)V), *many = numerics_array((size_t)(33 * V));
    pipeline_init(&pipeline, &model, splits[3], tensors);
    for (int i = 0; i < 33; i++)
        rows[i] = (7 * i) % LENGTH;
    for (int count = 1; count <= 33; count++) {
        pp_decoder_logits(&pipeline.decoders[2], alone[0], rows, count, many);
        for (int i = 0; i < count; i++) {
            logits_of(&pipeline, alone[0], rows[i], one);
            ck_assert_mem_eq(many + i * V, one, (size_t)V * sizeof *one);
        }
    }
    free(many);
    free(one);
    pipeline_release(&pipeline);
}
END_TEST

/* --- the right ones ------------------------------------------------------------- */

static void expect_within(const char *name, const float *found,
                          const struct bounded *expected, int count)
{
    for (int i = 0; i < count; i++) {
        double error = fabs((double)found[i] - expected[i].value);
        ck_assert_msg(error <= bound(expected[i]), "%s[%d]: %.9g instead of %.9g ± %g",
                      name, i, (double)found[i], expected[i].value, bound(expected[i]));
    }
}

static int largest(const float *logits, int V)
{
    int best = 0;
    for (int v = 1; v < V; v++)
        best = logits[v] > logits[best] ? v : best;
    return best;
}

/* Greedy decoding of the whole context from one token; x and the logits are kept. */
static void generate(struct pipeline *pipeline, int32_t *text, float *x, float *logits)
{
    int C = pipeline->config.d_model, V = pipeline->config.vocab;
    for (int t = 0; t < pipeline->config.seq_len; t++) {
        forward(pipeline, &(struct pp_piece){1, t, 1}, 1, text + t, x + t * C);
        logits_of(pipeline, x + t * C, 0, logits + t * V);
        if (t + 1 < pipeline->config.seq_len)
            text[t + 1] = largest(logits + t * V, V);
    }
}

/* Each token is the largest logit's in double too: surely, or two are nearer to each
 * other than float can tell. Those must be few, or the test says nothing. */
static int expect_greedy(const int32_t *text, const struct bounded *logits, int t,
                         int V)
{
    const struct bounded *chosen = &logits[text[t + 1]];
    int near = 0;
    for (int v = 0; v < V; v++) {
        double gap = chosen->value - logits[v].value;
        if (v == text[t + 1])
            continue;
        ck_assert_msg(gap >= -bound(*chosen) - bound(logits[v]),
                      "position %d: token %d, but %d is likelier by %g", t + 1,
                      text[t + 1], v, -gap);
        near |= gap <= bound(*chosen) + bound(logits[v]);
    }
    return near;
}

static const int halves[][MOST_STAGES] = {{2}, {1, 1}};

/* Shallow and narrow, so that bounds stay small. */
static struct pp_model_config small_model(bool untied)
{
    struct pp_model_config config = model;
    config.layers = 2;
    config.d_model = 26;
    config.heads = 2;
    config.untied = untied;
    return config;
}

START_TEST(generates_as_the_textbook)
{
    struct pp_model_config config = small_model(_i % 2 > 0);
    int C = config.d_model, V = config.vocab, T = config.seq_len, near = 0;
    float **weights = bounded_gpt2_tensors(&config);
    struct pipeline pipeline;
    int32_t *text = calloc((size_t)T, sizeof *text);
    float *x = numerics_array((size_t)(T * C)),
          *logits = numerics_array((size_t)(T * V));
    struct bounded *wanted = calloc((size_t)(T * C), sizeof *wanted);
    struct bounded *scores = calloc((size_t)V, sizeof *scores);
    ck_assert(text && wanted && scores);
    pipeline_init(&pipeline, &config, halves[_i / 2], weights);
    generate(&pipeline, text, x, logits);

    bounded_gpt2(wanted, &config, weights, text, T);
    expect_within("x", x, wanted, T * C);
    for (int t = 0; t + 1 < T; t++) {
        bounded_gpt2_logits(scores, &config, weights, wanted + t * C);
        expect_within("logits", logits + t * V, scores, V);
        near += expect_greedy(text, scores, t, V);
    }
    ck_assert_int_le(near, T / 10);
    free(scores);
    free(wanted);
    free(logits);
    free(x);
    free(text);
    pipeline_release(&pipeline);
    bounded_gpt2_release(&config, weights);
}
END_TEST

/* Training's own kernels sum in other orders, within the same bounds. */
START_TEST(training_agrees)
{
    struct pp_model_config config = small_model(_i > 0);
    struct pp_error error = {0};
    size_t count = (size_t)(config.seq_len * config.d_model);
    float **weights = bounded_gpt2_tensors(&config);
    int32_t *text = calloc((size_t)config.seq_len, sizeof *text);
    struct bounded *wanted = calloc(count, sizeof *wanted);
    float *x = numerics_array(count);
    struct pp_stage stage;
    ck_assert(text && wanted);
    ck_assert_int_eq(pp_blas_init(1, &error), 0);
    ck_assert_int_eq(
        pp_stage_init(&stage, &config, 0, config.layers, true, false, &error), 0);
    for (int i = 0; i < stage.parameter_count; i++)
        memcpy(stage.parameters[i].value, weights[stage.parameters[i].index],
               stage.parameters[i].count * sizeof(real));
    numerics_tokens(text, (size_t)config.seq_len, config.vocab, 1);
    struct pp_pass pass = {
        .tokens = text,
        .kept = {.transients = numerics_array(pp_stage_transient_count(&stage)),
                 .activations = numerics_array(pp_stage_activation_count(&stage))}};
    stage.scratch = numerics_array(pp_stage_scratch_count(&stage));
    pp_stage_forward(&stage, &pass, x, NULL);
    bounded_gpt2(wanted, &config, weights, text, config.seq_len);
    expect_within("x", x, wanted, (int)count);
    free(stage.scratch);
    free(pass.kept.activations);
    free(pass.kept.transients);
    pp_stage_release(&stage);
    free(x);
    free(wanted);
    free(text);
    bounded_gpt2_release(&config, weights);
}
END_TEST

/* --- what a decoder holds ------------------------------------------------------- */

/* Each tensor one stage's, a tied head's also the last one's. */
START_TEST(decoders_hold_the_model)
{
    struct pp_model_config config = small_model(_i % 2 > 0);
    const int *layers_of = halves[_i / 2];
    float **weights = bounded_gpt2_tensors(&config);
    struct pipeline pipeline;
    size_t bytes = 0, floats = 0;
    pipeline_init(&pipeline, &config, layers_of, weights);
    for (int i = 0; i < pp_model_tensor_count(&config); i++) {
        int holders = 0;
        for (int s = 0; s < pipeline.stages; s++)
            holders += pp_decoder_holds(&pipeline.decoders[s], i);
        ck_assert_int_eq(holders, i == 0 && !config.untied ? pipeline.stages : 1);
        floats += (size_t)holders * pp_model_tensor(&config, i).count;
    }
    for (int s = 0; s < pipeline.stages; s++)
        bytes += pipeline.decoders[s].parameter_bytes;
    ck_assert_uint_ge(bytes, floats * sizeof(float));
    ck_assert_uint_le(bytes, 2 * floats * sizeof(float)); /* narrow panels */
    pipeline_release(&pipeline);
    bounded_gpt2_release(&config, weights);
}
END_TEST

static void count_call(void *data)
{
    ++*(int *)data;
}

/* Transfers make progress at least once a layer. */
START_TEST(decoders_poll_between_layers)
{
    struct pipeline pipeline;
    float *x = numerics_array((size_t)model.d_model);
    int calls = 0;
    pipeline_init(&pipeline, &model, splits[0], tensors);
    pipeline.decoders[0].poll = count_call;
    pipeline.decoders[0].poll_data = &calls;
    forward(&pipeline, &(struct pp_piece){0, 0, 1}, 1, tokens[0], x);
    ck_assert_int_ge(calls, model.layers);
    pipeline_release(&pipeline);
    free(x);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("decoder");
    TCase *bits = tcase_create("bits"), *values = tcase_create("values");
    tcase_add_checked_fixture(bits, setup, teardown);
    tcase_set_timeout(bits, 60);
    tcase_set_timeout(values, 60);
    tcase_add_loop_test(bits, rows_depend_on_their_sequence_alone, 0, SPLITS);
    tcase_add_test(bits, used_blocks_change_nothing);
    tcase_add_test(bits, logits_of_rows_at_once);
    tcase_add_test(bits, decoders_poll_between_layers);
    tcase_add_loop_test(values, generates_as_the_textbook, 0, 4);
    tcase_add_loop_test(values, training_agrees, 0, 2);
    tcase_add_loop_test(values, decoders_hold_the_model, 0, 4);
    suite_add_tcase(suite, bits);
    suite_add_tcase(suite, values);
    return unit_run(suite);
}
