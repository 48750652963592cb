#include "model/stage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/layers.h"
#include "model/stage_layout.h"

/* A layer's parameters, in canonical order (config.h). */
enum {
    LN_1_W,
    LN_1_B,
    ATTN_W,
    ATTN_B,
    ATTN_PROJ_W,
    ATTN_PROJ_B,
    LN_2_W,
    LN_2_B,
    FC_W,
    FC_B,
    FC_PROJ_W,
    FC_PROJ_B
};
/* After the layers': the final norm, then the head. */
enum { LN_F_W, LN_F_B, HEAD_W };

/* --- parameters ----------------------------------------------------------------- */

static const struct pp_parameter *layer_parameters(const struct pp_stage *stage,
                                                   int layer)
{
    return stage->parameters + (stage->embed ? 2 : 0) + PP_LAYER_TENSORS * layer;
}

static const struct pp_parameter *head_parameters(const struct pp_stage *stage)
{
    return layer_parameters(stage, stage->layers);
}

/* Index in canonical order of a stage's i-th parameter. */
static int parameter_index(const struct pp_stage *stage, int i)
{
    int before = 2 + PP_LAYER_TENSORS * stage->first_layer;
    int after = 2 + PP_LAYER_TENSORS * stage->config.layers;
    int own = PP_LAYER_TENSORS * stage->layers;
    if (stage->embed && i < 2)
        return i;
    i -= stage->embed ? 2 : 0;
    if (i < own)
        return before + i;
    if (i - own == HEAD_W && !stage->config.untied)
        return 0;
    return after + i - own;
}

/* Reals of the stage's i-th parameter to the count-th behind it. */
static size_t reals_of(const struct pp_stage *stage, int i, int count)
{
    size_t reals = 0;
    for (int end = i + count; i < end; i++)
        reals += pp_arena_room(
            pp_model_tensor(&stage->config, parameter_index(stage, i)).count);
    return reals;
}

struct pp_stage pp_stage_shape(const struct pp_model_config *config, int first_layer,
                               int layers, bool embed, bool head)
{
    struct pp_stage stage = {.config = *config,
                             .first_layer = first_layer,
                             .layers = layers,
                             .embed = embed,
                             .head = head};
    int before = embed ? 2 : 0, own = PP_LAYER_TENSORS * layers;
    assert(layers > 0 || embed || head);
    stage.parameter_count = before + own + (head ? 3 : 0);
    stage.real_count = reals_of(&stage, 0, before);
    if (layers > 0) /* which are alike */
        stage.real_count += (size_t)layers * reals_of(&stage, before, PP_LAYER_TENSORS);
    if (head)
        stage.real_count += reals_of(&stage, before + own, 3);
    return stage;
}

int pp_stage_init(struct pp_stage *stage, const struct pp_model_config *config,
                  int first_layer, int layers, bool embed, bool head,
                  struct pp_error *error)
{
    *stage = pp_stage_shape(config, first_layer, layers, embed, head);
    stage->parameters =
        calloc((size_t)stage->parameter_count, sizeof *stage->parameters);
    if (!stage->parameters)
        goto error;
    for (int i = 0; i < stage->parameter_count; i++) {
        int index = parameter_index(stage, i);
        stage->parameters[i].index = index;
        stage->parameters[i].count = pp_model_tensor(config, index).count;
    }
    size_t bytes = stage->real_count * sizeof(real);
    /* Zeros: what stands between the tensors meets the optimizer. */
    stage->values = pp_touched_alloc(bytes);
    stage->grads = pp_touched_alloc(bytes);
    if (!stage->values || !stage->grads)
        goto error;
    struct pp_arena values = {stage->values, 0}, grads = {stage->grads, 0};
    for (int i = 0; i < stage->parameter_count; i++) {
        stage->parameters[i].value = pp_arena_take(&values, stage->parameters[i].count);
        stage->parameters[i].grad = pp_arena_take(&grads, stage->parameters[i].count);
    }
    return 0;

error:
    pp_stage_release(stage);
    return pp_fail(error, PP_ENVIRONMENT,
                   "out of memory for the parameters of layers %d to %d", first_layer,
                   first_layer + layers - 1);
}

void pp_stage_release(struct pp_stage *stage)
{
    free(stage->grads);
    free(stage->values);
    free(stage->parameters);
    *stage = (struct pp_stage){0};
}

/* --- passes --------------------------------------------------------------------- */

static void poll(const struct pp_stage *stage)
{
    if (stage->poll)
        stage->poll(stage->poll_data);
}

/* y (N, C) = the layer applied to x (N, C); y may be x. */
static void layer_forward(const struct pp_stage *stage, int layer,
                          const struct pp_pass *pass, real *y, const real *x)
{
    const struct pp_model_config *config = &stage->config;
    int B = config->microbatch_size, T = config->seq_len, N = B * T;
    int C = config->d_model, H = config->heads;
    const struct pp_parameter *p = layer_parameters(stage, layer);
    struct pp_layer_activations a = pp_layer_activations(stage, pass->kept, layer);
    struct pp_scratch s = pp_scratch(stage);

    pp_layernorm_forward(s.norm, a.norm_1, a.rstd_1, x, p[LN_1_W].value,
                         p[LN_1_B].value, N, C);
    pp_linear_forward(a.qkv, NULL, s.norm, p[ATTN_W].value, p[ATTN_B].value, N, C,
                      3 * C);
    pp_attention_forward(a.mixed, a.weights, a.qkv, B, T, C, H);
    pp_linear_forward(y, x, a.mixed, p[ATTN_PROJ_W].value, p[ATTN_PROJ_B].value, N, C,
                      C);
    pp_layernorm_forward(s.norm, a.norm_2, a.rstd_2, y, p[LN_2_W].value,
                         p[LN_2_B].value, N, C);
    pp_linear_forward(a.gelu, NULL, s.norm, p[FC_W].value, p[FC_B].value, N, C, 4 * C);
    pp_gelu_forward(a.gelu, a.slope, (size_t)N * 4 * (size_t)C);
    pp_linear_forward(y, y, a.gelu, p[FC_PROJ_W].value, p[FC_PROJ_B].value, N, 4 * C,
                      C);
}

/* dx (N, C) from dy (N, C). */
static void layer_backward_input(const struct pp_stage *stage, int layer,
                                 const struct pp_pass *pass, real *dx, const real *dy)
{
    const struct pp_model_config *config = &stage->config;
    int B = config->microbatch_size, T = config->seq_len, N = B * T;
    int C = config->d_model, H = config->heads;
    const struct pp_parameter *p = layer_parameters(stage, layer);
    struct pp_layer_activations a = pp_layer_activations(stage, pass->kept, layer);
    struct pp_layer_gradients g = pp_layer_gradients(stage, pass->gradients, layer);
    struct pp_scratch s = pp_scratch(stage);

    pp_linear_backward_input(g.fc, dy, p[FC_PROJ_W].value, N, 4 * C, C);
    pp_gelu_backward_input(g.fc, a.slope, (size_t)N * 4 * (size_t)C);
    pp_linear_backward_input(g.norm_2, g.fc, p[FC_W].value, N, C, 4 * C);
    pp_layernorm_backward_input(g.middle, dy, g.norm_2, a.norm_2, a.rstd_2,
                                p[LN_2_W].value, N, C);
    pp_linear_backward_input(s.norm, g.middle, p[ATTN_PROJ_W].value, N, C, C);
    pp_attention_backward_input(g.qkv, s.square, s.norm, a.weights, a.qkv, B, T, C, H);
    pp_linear_backward_input(g.norm_1, g.qkv, p[ATTN_W].value, N, C, 3 * C);
    pp_layernorm_backward_input(dx, g.middle, g.norm_1, a.norm_1, a.rstd_1,
                                p[LN_1_W].value, N, C);
}

static void layer_backward_weight(const struct pp_stage *stage, int layer,
                                  const struct pp_pass *pass, const real *dy)
{
    const struct pp_model_config *config = &stage->config;
    int N = config->microbatch_size * config->seq_len, C = config->d_model;
    const struct pp_parameter *p = layer_parameters(stage, layer);
    struct pp_layer_activations a = pp_layer_activations(stage, pass->kept, layer);
    struct pp_layer_gradients g = pp_layer_gradients(stage, pass->gradients, layer);
    struct pp_scratch s = pp_scratch(stage);

    pp_linear_backward_weight(p[FC_PROJ_W].grad, p[FC_PROJ_B].grad, dy, a.gelu, N,
                              4 * C, C);
    pp_layernorm_recompute(s.norm, a.norm_2, p[LN_2_W].value, p[LN_2_B].value, N, C);
    pp_linear_backward_weight(p[FC_W].grad, p[FC_B].grad, g.fc, s.norm, N, C, 4 * C);
    pp_layernorm_backward_weight(p[LN_2_W].grad, p[LN_2_B].grad, g.norm_2, a.norm_2, N,
                                 C);
    pp_linear_backward_weight(p[ATTN_PROJ_W].grad, p[ATTN_PROJ_B].grad, g.middle,
                              a.mixed, N, C, C);
    pp_layernorm_recompute(s.norm, a.norm_1, p[LN_1_W].value, p[LN_1_B].value, N, C);
    pp_linear_backward_weight(p[ATTN_W].grad, p[ATTN_B].grad, g.qkv, s.norm, N, C,
                              3 * C);
    pp_layernorm_backward_weight(p[LN_1_W].grad, p[LN_1_B].grad, g.norm_1, a.norm_1, N,
                                 C);
}

/* Gradient by the residual stream at a bound, to write: the stage before gets the
 * lowest. */
static real *gradient_into(const struct pp_stage *stage, const struct pp_pass *pass,
                           real *input_grad, int bound)
{
    return bound < pp_first_bound(stage)
               ? input_grad
               : pp_stream_gradient(stage, pass->gradients, bound);
}

/* The same to read: the stage after gives the highest. */
static const real *gradient_at(const struct pp_stage *stage, const struct pp_pass *pass,
                               int bound)
{
    return bound > pp_last_bound(stage)
               ? pass->output_grad
               : pp_stream_gradient(stage, pass->gradients, bound);
}

/* The loss of x (N, C), the residual stream behind the last layer. */
static double head_forward(const struct pp_stage *stage, const struct pp_pass *pass,
                           const real *x)
{
    const struct pp_model_config *config = &stage->config;
    int N = config->microbatch_size * config->seq_len;
    int C = config->d_model, V = config->vocab;
    const struct pp_parameter *p = head_parameters(stage);
    struct pp_head_activations a = pp_head_activations(stage, pass->kept);
    struct pp_scratch s = pp_scratch(stage);

    pp_layernorm_forward(s.norm, a.norm, a.rstd, x, p[LN_F_W].value, p[LN_F_B].value, N,
                         C);
    pp_head_forward(a.logits, s.norm, p[HEAD_W].value, N, C, V);
    return pp_cross_entropy_forward(a.logits, pass->targets, N, V);
}

static void head_backward_input(const struct pp_stage *stage,
                                const struct pp_pass *pass, real *dx)
{
    const struct pp_model_config *config = &stage->config;
    int N = config->microbatch_size * config->seq_len;
    int C = config->d_model, V = config->vocab;
    const struct pp_parameter *p = head_parameters(stage);
    struct pp_head_activations a = pp_head_activations(stage, pass->kept);
    real *dnorm = pp_head_gradient(stage, pass->gradients);

    pp_cross_entropy_backward_input(a.logits, pass->targets, pass->loss_scale, N, V);
    pp_head_backward_input(dnorm, a.logits, p[HEAD_W].value, N, C, V);
    pp_layernorm_backward_input(dx, NULL, dnorm, a.norm, a.rstd, p[LN_F_W].value, N, C);
}

static void head_backward_weight(const struct pp_stage *stage,
                                 const struct pp_pass *pass)
{
    const struct pp_model_config *config = &stage->config;
    int N = config->microbatch_size * config->seq_len;
    int C = config->d_model, V = config->vocab;
    const struct pp_parameter *p = head_parameters(stage);
    struct pp_head_activations a = pp_head_activations(stage, pass->kept);
    struct pp_scratch s = pp_scratch(stage);

    pp_layernorm_recompute(s.norm, a.norm, p[LN_F_W].value, p[LN_F_B].value, N, C);
    pp_head_backward_weight(p[HEAD_W].grad, a.logits, s.norm, N, C, V);
    pp_layernorm_backward_weight(p[LN_F_W].grad, p[LN_F_B].grad,
                                 pp_head_gradient(stage, pass->gradients), a.norm, N,
                                 C);
}

/* The block's input x (N, C), for re-computation. */
static void keep_input(const struct pp_stage *stage, const struct pp_pass *pass,
                       int block, const real *x)
{
    const struct pp_model_config *config = &stage->config;
    size_t N = (size_t)config->microbatch_size * (size_t)config->seq_len;
    real *place = pp_block_input(stage, pass->kept, block);
    if (place)
        memcpy(place, x, N * (size_t)config->d_model * sizeof *place);
}

void pp_stage_forward(const struct pp_stage *stage, const struct pp_pass *pass,
                      real *output, double *loss_sum)
{
    const struct pp_model_config *config = &stage->config;
    int B = config->microbatch_size, T = config->seq_len, C = config->d_model;
    /* The residual stream is in the input at first, then where the output goes. */
    real *stream = output ? output : pp_scratch(stage).stream;
    const real *x = pass->input;

    if (stage->embed) {
        pp_embedding_forward(stream, pass->tokens, stage->parameters[0].value,
                             stage->parameters[1].value, B, T, C);
        x = stream;
    }
    for (int layer = 0; layer < stage->layers; layer++) {
        keep_input(stage, pass, layer, x);
        layer_forward(stage, layer, pass, stream, x);
        x = stream;
        poll(stage);
    }
    if (stage->head) {
        keep_input(stage, pass, stage->layers, x);
        *loss_sum = head_forward(stage, pass, x);
        poll(stage);
    }
}

/* --- backward, block by block ------------------------------------------------------
 */

static void block_recompute(const struct pp_stage *stage, const struct pp_pass *pass,
                            int block)
{
    const real *x = pp_block_input(stage, pass->kept, block);
    if (block < stage->layers)
        layer_forward(stage, block, pass, pp_scratch(stage).stream, x);
    else
        head_forward(stage, pass, x);
    poll(stage);
}

static void block_backward_input(const struct pp_stage *stage,
                                 const struct pp_pass *pass, int block,
                                 real *input_grad)
{
    real *dx = gradient_into(stage, pass, input_grad, block);
    if (block < stage->layers)
        layer_backward_input(stage, block, pass, dx,
                             gradient_at(stage, pass, block + 1));
    else
        head_backward_input(stage, pass, dx);
    poll(stage);
}

static void block_backward_weight(const struct pp_stage *stage,
                                  const struct pp_pass *pass, int block)
{
    if (block < stage->layers)
        layer_backward_weight(stage, block, pass, gradient_at(stage, pass, block + 1));
    else
        head_backward_weight(stage, pass);
    poll(stage);
}

static void embed_backward_weight(const struct pp_stage *stage,
                                  const struct pp_pass *pass)
{
    const struct pp_model_config *config = &stage->config;
    if (stage->embed)
        pp_embedding_backward_weight(
            stage->parameters[0].grad, stage->parameters[1].grad,
            gradient_at(stage, pass, 0), pass->tokens, config->microbatch_size,
            config->seq_len, config->d_model);
}

void pp_stage_recompute(const struct pp_stage *stage, const struct pp_pass *pass)
{
    struct pp_pass again = *pass;
    double ignored;
    again.input = pass->kept.inputs;
    again.kept.inputs = NULL;
    if (stage->config.recompute == PP_RECOMPUTE_STAGE) {
        pp_stage_forward(stage, &again, NULL, &ignored);
        return;
    }
    for (int block = 0; block < pp_stage_blocks(stage); block++)
        block_recompute(stage, pass, block);
}

void pp_stage_backward_input(const struct pp_stage *stage, const struct pp_pass *pass,
                             real *input_grad)
{
    for (int block = pp_stage_blocks(stage) - 1; block >= 0; block--)
        block_backward_input(stage, pass, block, input_grad);
}

void pp_stage_backward_weight(const struct pp_stage *stage, const struct pp_pass *pass)
{
    for (int block = pp_stage_blocks(stage) - 1; block >= 0; block--)
        block_backward_weight(stage, pass, block);
    embed_backward_weight(stage, pass);
}

void pp_stage_backward_by_block(const struct pp_stage *stage,
                                const struct pp_pass *pass, real *input_grad)
{
    for (int block = pp_stage_blocks(stage) - 1; block >= 0; block--) {
        block_recompute(stage, pass, block);
        block_backward_input(stage, pass, block, input_grad);
        block_backward_weight(stage, pass, block);
    }
    embed_backward_weight(stage, pass);
}
