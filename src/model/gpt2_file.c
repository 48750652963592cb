#include "model/gpt2_file.h"

#include <inttypes.h>
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

/* The layer in "h.LAYER.…", with what is behind it; -1 for other names. */
static int layer_of(const struct pp_st_tensor *tensor, const char **rest)
{
    const char *name = plain_name(tensor);
    int layer = -1, end = 0;
    if (sscanf(name, "h.%d.%n", &layer, &end) != 1 || end == 0)
        return -1;
    *rest = name + end;
    return layer;
}

/* The options that decide what the file must hold, all at once. */
static int check_sizes(const struct pp_st_file *file,
                       const struct pp_model_config *config, struct pp_error *error)
{
    const struct pp_st_tensor *wte = pp_st_find(file, "wte.weight");
    const struct pp_st_tensor *wpe = pp_st_find(file, "wpe.weight");
    const char *rest;
    int layers = 0;
    for (int i = 0; i < file->count; i++) {
        int layer = layer_of(&file->tensors[i], &rest);
        layers = layer >= layers ? layer + 1 : layers;
    }
    if (!wte || !wpe || wte->rank != 2 || wpe->rank != 2 || layers == 0 ||
        (layers == config->layers && wte->shape[0] == config->vocab &&
         wte->shape[1] == config->d_model && wpe->shape[0] == config->seq_len))
        return 0;
    return pp_fail(
        error, PP_BAD_INPUT,
        "'%s' holds a model of another shape: use '--layers' %d, "
        "'--d-model' %" PRId64 ", '--vocab' %" PRId64 " and '--seq-len' %" PRId64,
        file->input.path, layers, wte->shape[1], wte->shape[0], wpe->shape[0]);
}

static int check_extra(const struct pp_st_file *file, const struct pp_st_tensor *tensor,
                       struct pp_error *error)
{
    const char *name = plain_name(tensor), *rest = "";
    char name_shown[PP_ST_SHOWN];
    if (layer_of(tensor, &rest) >= 0 &&
        (strcmp(rest, "attn.bias") == 0 || strcmp(rest, "attn.masked_bias") == 0))
        return 0;
    if (strcmp(name, "lm_head.weight") == 0) {
        const struct pp_st_tensor *wte = pp_st_find(file, "wte.weight");
        bool copy = false;
        if (wte && pp_st_same(file, wte, tensor, &copy, error) != 0)
            return -1;
        if (copy)
            return 0;
        return pp_fail(
            error, PP_BAD_INPUT,
            "'%s': '%s' is not a copy of 'wte.weight', so the head is not tied: "
            "use '--untied'",
            file->input.path, pp_st_shown(tensor->name, name_shown));
    }
    return pp_fail(error, PP_BAD_INPUT,
                   "'%s' has a tensor '%s' that the model does not have: is it a "
                   "GPT-2 checkpoint",
                   file->input.path, pp_st_shown(tensor->name, name_shown));
}

int pp_gpt2_file_check(const struct pp_st_file *file,
                       const struct pp_model_config *config, struct pp_error *error)
{
    if (check_sizes(file, config, error) != 0)
        return -1;
    bool *known = calloc((size_t)file->count + 1, sizeof *known);
    bool all_found = true;
    int status = 0;
    if (!known)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for %d tensors",
                       file->count);
    for (int i = 0; i < pp_model_tensor_count(config); i++) {
        struct pp_tensor_spec spec = pp_model_tensor(config, i);
        const struct pp_st_tensor *tensor = pp_st_find(file, spec.name);
        all_found &= tensor != NULL;
        if (tensor)
            known[tensor - file->tensors] = true;
    }
    for (int i = 0; all_found && i < file->count && status == 0; i++) {
        if (!known[i])
            status = check_extra(file, &file->tensors[i], error);
    }
    free(known);
    return status;
}
