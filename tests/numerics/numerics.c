#include "numerics.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"

real *numerics_array(size_t count)
{
    size_t unit = PP_ALIGN / sizeof(real);
    size_t room = (count + unit - 1) / unit * unit;
    real *array = aligned_alloc(PP_ALIGN, (room ? room : unit) * sizeof *array);
    ck_assert_ptr_nonnull(array);
    for (size_t i = 0; i < room; i++)
        array[i] = (real)NAN;
    return array;
}

void numerics_fill(real *x, size_t count, uint64_t stream)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)(pp_uniform(pp_random(1, stream, i)) - 0.5);
}

void numerics_tokens(int32_t *tokens, size_t count, int vocab, uint64_t stream)
{
    for (size_t i = 0; i < count; i++)
        tokens[i] = (int32_t)pp_below(pp_random(2, stream, i), (uint64_t)vocab);
}

void bed_init(struct bed *bed, const struct pp_model_config *config, int first_layer,
              int layers, bool embed, bool head, int microbatches)
{
    struct pp_error error = {0};
    struct pp_stage *stage = &bed->stage;
    size_t m = (size_t)microbatches;
    size_t N = (size_t)config->microbatch_size * (size_t)config->seq_len;
    size_t C = (size_t)config->d_model;
    ck_assert_int_eq(
        pp_stage_init(stage, config, first_layer, layers, embed, head, &error), 0);
    for (int i = 0; i < stage->parameter_count; i++)
        numerics_fill(stage->parameters[i].value, stage->parameters[i].count,
                      (uint64_t)stage->parameters[i].index);
    stage->scratch = numerics_array(pp_stage_scratch_count(stage));

    bed->microbatches = microbatches;
    bed->pass = calloc(m, sizeof *bed->pass);
    bed->output = calloc(m, sizeof *bed->output);
    bed->input_grad = calloc(m, sizeof *bed->input_grad);
    bed->tokens = calloc(m * N, sizeof *bed->tokens);
    bed->targets = calloc(m * N, sizeof *bed->targets);
    ck_assert(bed->pass && bed->output && bed->input_grad && bed->tokens &&
              bed->targets);
    numerics_tokens(bed->tokens, m * N, config->vocab, 1);
    numerics_tokens(bed->targets, m * N, config->vocab, 2);
    for (size_t i = 0; i < m; i++) {
        bed->pass[i].tokens = bed->tokens + i * N;
        bed->pass[i].targets = bed->targets + i * N;
        bed->pass[i].kept.transients = numerics_array(pp_stage_transient_count(stage));
        bed->pass[i].kept.activations =
            numerics_array(pp_stage_activation_count(stage));
        bed->pass[i].gradients = numerics_array(pp_stage_gradient_count(stage));
        bed->pass[i].loss_scale = 1 / ((real)m * (real)N);
        bed->output[i] = numerics_array(N * C);
        bed->input_grad[i] = numerics_array(N * C);
    }
}

void bed_release(struct bed *bed)
{
    for (int i = 0; i < bed->microbatches; i++) {
        free(bed->pass[i].kept.transients);
        free(bed->pass[i].kept.activations);
        free(bed->pass[i].gradients);
        free(bed->output[i]);
        free(bed->input_grad[i]);
    }
    free(bed->targets);
    free(bed->tokens);
    free(bed->input_grad);
    free(bed->output);
    free(bed->pass);
    free(bed->stage.scratch);
    pp_stage_release(&bed->stage);
}
