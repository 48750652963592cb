#include "model/config.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "base/random.h"

/* What a layer's tensors are called and shaped, in units of C. */
static const struct {
    const char *name;
    int rows, columns; /* columns 0: one dimension */
    enum pp_init init;
} layer_tensors[PP_LAYER_TENSORS] = {
    {"ln_1.weight", 1, 0, PP_INIT_ONES},
    {"ln_1.bias", 1, 0, PP_INIT_ZEROS},
    {"attn.c_attn.weight", 1, 3, PP_INIT_NORMAL},
    {"attn.c_attn.bias", 3, 0, PP_INIT_ZEROS},
    {"attn.c_proj.weight", 1, 1, PP_INIT_RESIDUAL},
    {"attn.c_proj.bias", 1, 0, PP_INIT_ZEROS},
    {"ln_2.weight", 1, 0, PP_INIT_ONES},
    {"ln_2.bias", 1, 0, PP_INIT_ZEROS},
    {"mlp.c_fc.weight", 1, 4, PP_INIT_NORMAL},
    {"mlp.c_fc.bias", 4, 0, PP_INIT_ZEROS},
    {"mlp.c_proj.weight", 4, 1, PP_INIT_RESIDUAL},
    {"mlp.c_proj.bias", 1, 0, PP_INIT_ZEROS},
};

/* Tensors before and after the layers' own. */
enum { BEFORE = 2, AFTER = 2 };

int pp_model_tensor_count(const struct pp_model_config *config)
{
    return BEFORE + PP_LAYER_TENSORS * config->layers + AFTER +
           (config->untied ? 1 : 0);
}

static struct pp_tensor_spec tensor(const char *name, int rows, int columns,
                                    enum pp_init init)
{
    struct pp_tensor_spec spec = {.rank = columns > 0 ? 2 : 1,
                                  .shape = {rows, columns > 0 ? columns : 1},
                                  .init = init};
    snprintf(spec.name, sizeof spec.name, "%s", name);
    spec.count = (size_t)spec.shape[0] * (size_t)spec.shape[1];
    return spec;
}

struct pp_tensor_spec pp_model_tensor(const struct pp_model_config *config, int index)
{
    int C = config->d_model;
    int after = index - BEFORE - PP_LAYER_TENSORS * config->layers;
    if (index == 0)
        return tensor("wte.weight", config->vocab, C, PP_INIT_NORMAL);
    if (index == 1)
        return tensor("wpe.weight", config->seq_len, C, PP_INIT_NORMAL);
    if (after == 0)
        return tensor("ln_f.weight", C, 0, PP_INIT_ONES);
    if (after == 1)
        return tensor("ln_f.bias", C, 0, PP_INIT_ZEROS);
    if (after == 2)
        return tensor("lm_head.weight", config->vocab, C, PP_INIT_NORMAL);
    int layer = (index - BEFORE) / PP_LAYER_TENSORS;
    int which = (index - BEFORE) % PP_LAYER_TENSORS;
    char name[48];
    snprintf(name, sizeof name, "h.%d.%s", layer, layer_tensors[which].name);
    return tensor(name, layer_tensors[which].rows * C, layer_tensors[which].columns * C,
                  layer_tensors[which].init);
}

/* The largest divisor of d_model up to heads, and the smallest above. */
static int check_heads(const struct pp_model_config *config, struct pp_error *error)
{
    int heads = config->heads, d_model = config->d_model;
    if (d_model % heads == 0)
        return 0;
    if (heads > d_model)
        return pp_fail(error, PP_BAD_INPUT,
                       "'--heads' %d does not divide '--d-model' %d: the largest that "
                       "does is %d",
                       heads, d_model, d_model);
    int below = heads, above = heads;
    while (d_model % below != 0)
        below--;
    while (d_model % above != 0)
        above++;
    return pp_fail(error, PP_BAD_INPUT,
                   "'--heads' %d does not divide '--d-model' %d: the nearest that "
                   "do are %d and %d",
                   heads, d_model, below, above);
}

int pp_model_check(const struct pp_model_config *config, struct pp_error *error)
{
    /* BLAS counts rows and columns in int, and so do the tensors' indices. */
    const struct {
        const char *option;
        int value, most;
    } sizes[] = {
        {"--layers", config->layers, (INT_MAX - BEFORE - AFTER - 1) / PP_LAYER_TENSORS},
        {"--d-model", config->d_model, INT_MAX / 4},
        {"--heads", config->heads, INT_MAX},
        {"--seq-len", config->seq_len, INT_MAX},
        {"--microbatch-size", config->microbatch_size, INT_MAX},
        {"--vocab", config->vocab, INT_MAX},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < 1 || sizes[i].value > sizes[i].most)
            return pp_fail(error, PP_BAD_INPUT, "'%s' %d: must be from 1 to %d",
                           sizes[i].option, sizes[i].value, sizes[i].most);
    if (check_heads(config, error) != 0)
        return -1;
    if (config->microbatch_size > INT_MAX / config->seq_len)
        return pp_fail(
            error, PP_BAD_INPUT,
            "'--microbatch-size' %d of '--seq-len' %d has more than %d tokens: "
            "at most %d",
            config->microbatch_size, config->seq_len, INT_MAX,
            INT_MAX / config->seq_len);

    /* A bound on every buffer of a stage, in units that cannot overflow. The factors
     * are at least those of stage.c's lists. */
    double C = config->d_model, L = config->layers, V = config->vocab;
    double T = config->seq_len, N = T * config->microbatch_size;
    double parameters = 12 * L * (C + 2) * C + (2 * V + T + 2) * C;
    double activations = N * (L * (16 * C + config->heads * T) + 4 * C + V) + T * T;
    double bytes = 64 * (parameters + activations);
    if (bytes >= (double)PTRDIFF_MAX)
        return pp_fail(
            error, PP_BAD_INPUT,
            "%d layers of '--d-model' %d, '--seq-len' %d, '--microbatch-size' "
            "%d, '--vocab' %d need about %.0e bytes: at most %.0e can be "
            "addressed",
            config->layers, config->d_model, config->seq_len, config->microbatch_size,
            config->vocab, bytes, (double)PTRDIFF_MAX);
    return 0;
}

/* Streams of the parameters start here, apart from those of other users of the seed. */
static const uint64_t parameter_streams = UINT64_C(0x706172616d000000);

void pp_model_init_tensor(const struct pp_model_config *config, int index,
                          uint64_t seed, float *data)
{
    struct pp_tensor_spec spec = pp_model_tensor(config, index);
    if (spec.init == PP_INIT_ZEROS || spec.init == PP_INIT_ONES) {
        for (size_t i = 0; i < spec.count; i++)
            data[i] = spec.init == PP_INIT_ONES ? 1.0f : 0.0f;
        return;
    }
    double deviation = spec.init == PP_INIT_RESIDUAL
                           ? 0.02 / sqrt(2.0 * (double)config->layers)
                           : 0.02;
    uint64_t stream = parameter_streams + (uint64_t)index;
    for (size_t i = 0; i < spec.count; i += 2) {
        struct pp_normals pair =
            pp_normals(pp_random(seed, stream, i), pp_random(seed, stream, i + 1));
        data[i] = (float)(deviation * pair.radius * cos(pair.angle));
        if (i + 1 < spec.count)
            data[i + 1] = (float)(deviation * pair.radius * sin(pair.angle));
    }
}
