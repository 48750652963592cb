#include "model_files.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

const struct pp_model_config model_files_config = {.layers = 1,
                                                   .d_model = 2,
                                                   .heads = 1,
                                                   .seq_len = 3,
                                                   .microbatch_size = 1,
                                                   .vocab = 4};

float model_files_value(int tensor, size_t element)
{
    return (float)(1 + (3 * tensor + (int)element) % 127);
}

/* A whole number from 1 to 127 in the type's bits. */
static size_t bits_of(float value, enum pp_dtype dtype, void *bits)
{
    int exponent;
    float fraction = 2 * frexpf(value, &exponent) - 1;
    uint16_t half = (uint16_t)((exponent - 1 + 15) << 10 | (int)(fraction * 1024));
    uint32_t whole;
    memcpy(&whole, &value, sizeof whole);
    if (dtype == PP_BF16)
        half = (uint16_t)(whole >> 16);
    if (dtype == PP_F16 || dtype == PP_BF16)
        return memcpy(bits, &half, sizeof half) ? sizeof half : 0;
    return memcpy(bits, &whole, sizeof whole) ? sizeof whole : 0;
}

static void append(struct pp_st_writer *writer, const struct pp_st_tensor *tensor,
                   float value)
{
    struct pp_error error = {0};
    unsigned char bits[4];
    size_t bytes = bits_of(value, tensor->dtype, bits);
    ck_assert_int_eq(pp_st_append(writer, bits, bytes, &error), 0);
}

enum { MOST = 64 };

/* The tensors of the part, without the extra one; returns how many. */
static int declare(struct pp_st_tensor *tensors, const struct model_files_part *part)
{
    int end = part->end ? part->end : pp_model_tensor_count(&model_files_config);
    for (int i = part->first; i < end; i++) {
        struct pp_tensor_spec spec = pp_model_tensor(&model_files_config, i);
        struct pp_st_tensor *tensor = &tensors[i - part->first];
        *tensor = (struct pp_st_tensor){.dtype = part->dtypes[i % 3],
                                        .rank = spec.rank,
                                        .shape = {spec.shape[0], spec.shape[1], 1, 1}};
        snprintf(tensor->name, sizeof tensor->name, "%s%s",
                 part->prefix ? part->prefix : "", spec.name);
    }
    return end - part->first;
}

const char *model_files_write(const char *path, const struct model_files_part *part)
{
    const struct model_files_extra *extra = &part->extra;
    const struct pp_st_note notes[] = {{"n_head", part->heads}, {0}};
    struct pp_st_tensor tensors[MOST];
    struct pp_error error = {0};
    int own = declare(tensors, part), count = own + (extra->name != NULL);
    ck_assert_int_lt(count, MOST);
    if (extra->name) {
        tensors[own] = (struct pp_st_tensor){
            .rank = extra->rank, .shape = {extra->shape[0], extra->shape[1], 1, 1}};
        snprintf(tensors[own].name, sizeof tensors[own].name, "%s", extra->name);
    }
    struct pp_st_writer *writer =
        pp_st_create(path, tensors, count, part->heads ? notes : NULL, &error);
    ck_assert_msg(writer != NULL, "%s", error.text);
    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < (size_t)(tensors[i].shape[0] * tensors[i].shape[1]); k++)
            append(writer, &tensors[i],
                   i < own        ? model_files_value(part->first + i, k)
                   : extra->value ? extra->value
                                  : model_files_value(0, k));
    }
    ck_assert_int_eq(pp_st_finish(writer, &error), 0);
    return path;
}
