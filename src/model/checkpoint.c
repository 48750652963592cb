#include "model/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *plain_name(const struct pp_st_tensor *tensor)
{
    static const char prefix[] = "transformer.";
    size_t length = sizeof prefix - 1;
    return strncmp(tensor->name, prefix, length) == 0 ? tensor->name + length
                                                      : tensor->name;
}

static bool is_copy(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
                    const char *of)
{
    const struct pp_st_tensor *other = pp_st_find(file, of);
    return other && other->dtype == tensor->dtype && other->bytes == tensor->bytes &&
           memcmp(file->map + other->offset, file->map + tensor->offset,
                  tensor->bytes) == 0;
}

static int judge_extra(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
                       const struct pp_model_config *config, struct pp_error *error)
{
    const char *name = plain_name(tensor);
    int layer = -1, end = 0;
    if (sscanf(name, "h.%d.%n", &layer, &end) == 1 && end > 0) {
        if (layer >= config->layers)
            return pp_fail(error, PP_BAD_INPUT,
                           "'%s' has '%s': the file's model has more layers than "
                           "'--layers' %d",
                           file->path, tensor->name, config->layers);
        if (strcmp(name + end, "attn.bias") == 0 ||
            strcmp(name + end, "attn.masked_bias") == 0)
            return 0;
    }
    if (strcmp(name, "lm_head.weight") == 0) {
        if (is_copy(file, tensor, "wte.weight"))
            return 0;
        return pp_fail(
            error, PP_BAD_INPUT,
            "'%s' has a head of its own, '%s' is not 'wte.weight' again: use "
            "'--untied'",
            file->path, tensor->name);
    }
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' has a tensor '%s', the model has none of that name: is it a "
                   "GPT-2 checkpoint",
                   file->path, tensor->name);
}

int pp_checkpoint_check(const struct pp_st_file *file,
                        const struct pp_model_config *config, struct pp_error *error)
{
    bool *known = calloc((size_t)file->count + 1, sizeof *known);
    bool whole = true;
    int status = 0;
    if (!known)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d tensors",
                       file->count);
    for (int i = 0; i < pp_model_tensor_count(config); i++) {
        struct pp_tensor_spec spec = pp_model_tensor(config, i);
        const struct pp_st_tensor *tensor = pp_st_find(file, spec.name);
        whole &= tensor != NULL;
        if (tensor)
            known[tensor - file->tensors] = true;
    }
    for (int i = 0; whole && i < file->count && status == 0; i++) {
        if (!known[i])
            status = judge_extra(file, &file->tensors[i], config, error);
    }
    free(known);
    return status;
}
