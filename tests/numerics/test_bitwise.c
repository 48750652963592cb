/* However the model is split, and whenever the weights' half of the backward comes: the
 * same bits. */
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "numerics.h"
#include "unit.h"

enum { LAYERS = 4, MICROBATCHES = 3, MOST_STAGES = 4, TENSORS = 64 };

static const struct pp_model_config config = {.layers = LAYERS,
                                              .d_model = 48,
                                              .heads = 4,
                                              .seq_len = 20,
                                              .microbatch_size = 3,
                                              .vocab = 37};

/* What a step leaves: each microbatch's loss, each tensor's gradient, by canonical
 * index; a tied head's own last. */
struct result {
    double losses[MICROBATCHES];
    size_t counts[TENSORS];
    float *grads[TENSORS];
};

static void result_release(struct result *result)
{
    for (int i = 0; i < TENSORS; i++)
        free(result->grads[i]);
}

static void forward(struct bed *beds, int stages, int i, struct result *result)
{
    for (int s = 0; s < stages; s++) {
        struct bed *bed = &beds[s];
        bed->pass[i].input = s > 0 ? beds[s - 1].output[i] : NULL;
        bed->pass[i].output_grad = s + 1 < stages ? beds[s + 1].input_grad[i] : NULL;
        pp_stage_forward(&bed->stage, &bed->pass[i], bed->output[i],
                         &result->losses[i]);
    }
}

static void backward_input(struct bed *beds, int stages, int i)
{
    for (int s = stages - 1; s >= 0; s--)
        pp_stage_backward_input(&beds[s].stage, &beds[s].pass[i],
                                beds[s].input_grad[i]);
}

/* The transients are for the next microbatch once backward-input has read them. */
static void spoil_transients(struct bed *beds, int stages, int i)
{
    for (int s = 0; s < stages; s++)
        memset(beds[s].pass[i].kept.transients, 0xff,
               pp_stage_transient_count(&beds[s].stage) * sizeof(real));
}

static void backward_weight(struct bed *beds, int stages, int i)
{
    for (int s = stages - 1; s >= 0; s--)
        pp_stage_backward_weight(&beds[s].stage, &beds[s].pass[i]);
}

/* One step of the model split as layers_of says (ended by 0), as 1F1B's neighbours do
 * it one microbatch after the other, or with all forwards, then all backwards for the
 * input, then all for the weights. */
static struct result step(const int *layers_of, bool untied, bool in_turn)
{
    struct pp_model_config model = config;
    struct bed beds[MOST_STAGES];
    struct result result = {0};
    int stages = 0, first = 0;
    model.untied = untied;
    while (layers_of[stages] > 0)
        stages++;
    for (int s = 0; s < stages; s++) {
        bed_init(&beds[s], &model, first, layers_of[s], s == 0, s == stages - 1,
                 MICROBATCHES);
        first += layers_of[s];
    }
    if (in_turn) {
        for (int i = 0; i < MICROBATCHES; i++) {
            forward(beds, stages, i, &result);
            backward_input(beds, stages, i);
            backward_weight(beds, stages, i);
        }
    } else {
        for (int i = 0; i < MICROBATCHES; i++)
            forward(beds, stages, i, &result);
        for (int i = 0; i < MICROBATCHES; i++) {
            backward_input(beds, stages, i);
            spoil_transients(beds, stages, i);
        }
        for (int i = 0; i < MICROBATCHES; i++)
            backward_weight(beds, stages, i);
    }
    for (int s = 0; s < stages; s++) {
        for (int i = 0; i < beds[s].stage.parameter_count; i++) {
            const struct pp_parameter *p = &beds[s].stage.parameters[i];
            bool tied_head = p->index == 0 && i > 0;
            int slot = tied_head || (!beds[s].stage.embed && p->index == 0)
                           ? TENSORS - 1
                           : p->index;
            ck_assert_ptr_null(result.grads[slot]);
            result.counts[slot] = p->count;
            result.grads[slot] = malloc(p->count * sizeof *p->grad);
            ck_assert_ptr_nonnull(result.grads[slot]);
            memcpy(result.grads[slot], p->grad, p->count * sizeof *p->grad);
        }
        bed_release(&beds[s]);
    }
    return result;
}

static void expect_same(const struct result *a, const struct result *b)
{
    ck_assert_mem_eq(a->losses, b->losses, sizeof a->losses);
    for (int i = 0; i < TENSORS; i++) {
        ck_assert_uint_eq(a->counts[i], b->counts[i]);
        if (a->counts[i] > 0)
            ck_assert_msg(memcmp(a->grads[i], b->grads[i],
                                 a->counts[i] * sizeof *a->grads[i]) == 0,
                          "tensor %d differs", i);
    }
}

static const int splits[][MOST_STAGES + 1] = {{4},    {2, 2},    {1, 3},
                                              {3, 1}, {1, 2, 1}, {1, 1, 1, 1}};
enum { SPLITS = sizeof splits / sizeof *splits };

static void setup(void)
{
    struct pp_error blas_error;
    ck_assert_int_eq(pp_blas_init(1, &blas_error), 0);
}

START_TEST(any_split_gives_the_same)
{
    bool untied = _i / SPLITS % 2 > 0, in_turn = _i / SPLITS / 2 > 0;
    struct result whole = step(splits[0], untied, true);
    struct result split = step(splits[_i % SPLITS], untied, in_turn);
    for (int i = 0; i < MICROBATCHES; i++)
        ck_assert_double_gt(whole.losses[i], 0);
    expect_same(&whole, &split);
    result_release(&whole);
    result_release(&split);
}
END_TEST

static void count_call(void *data)
{
    ++*(int *)data;
}

/* Transfers make progress at least once a layer, in each of the three. */
START_TEST(stages_poll_between_layers)
{
    struct bed bed;
    double loss;
    int calls = 0;
    bed_init(&bed, &config, 0, LAYERS, true, true, 1);
    bed.stage.poll = count_call;
    bed.stage.poll_data = &calls;
    pp_stage_forward(&bed.stage, bed.pass, NULL, &loss);
    ck_assert_int_ge(calls, LAYERS);
    pp_stage_backward_input(&bed.stage, bed.pass, NULL);
    ck_assert_int_ge(calls, 2 * LAYERS);
    pp_stage_backward_weight(&bed.stage, bed.pass);
    ck_assert_int_ge(calls, 3 * LAYERS);
    bed_release(&bed);
}
END_TEST

/* Every tensor of the model is some stage's, once, and a tied head's twice. */
START_TEST(parameters_cover_the_model)
{
    struct pp_error error = {0};
    int seen[TENSORS] = {0};
    for (int s = 0; s < 2; s++) {
        struct pp_stage stage;
        ck_assert_int_eq(
            pp_stage_init(&stage, &config, 2 * s, 2, s == 0, s == 1, &error), 0);
        for (int i = 0; i < stage.parameter_count; i++) {
            const struct pp_parameter *p = &stage.parameters[i];
            seen[p->index]++;
            ck_assert_uint_eq(p->count, pp_model_tensor(&config, p->index).count);
            ck_assert_uint_eq((uintptr_t)p->value % PP_ALIGN, 0);
            ck_assert_ptr_eq(stage.grads + (p->value - stage.values), p->grad);
        }
        pp_stage_release(&stage);
    }
    for (int i = 0; i < pp_model_tensor_count(&config); i++)
        ck_assert_int_eq(seen[i], i == 0 ? 2 : 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bitwise");
    TCase *steps = tcase_create("steps");
    tcase_set_timeout(steps, 60);
    tcase_add_checked_fixture(steps, setup, NULL);
    tcase_add_loop_test(steps, any_split_gives_the_same, 0, 4 * SPLITS);
    tcase_add_test(steps, stages_poll_between_layers);
    tcase_add_test(steps, parameters_cover_the_model);
    suite_add_tcase(suite, steps);
    return unit_run(suite);
}
