/* Writes GPT-2 models as files and folders, for tests that read them. */
#ifndef PP_TESTS_MODEL_FILES_H
#define PP_TESTS_MODEL_FILES_H

#include "model/config.h"
#include "model/safetensors.h"

/* 1 layer of width 2, 3 positions, 4 tokens, a tied head. */
extern const struct pp_model_config model_files_config;

/* A tensor that a file has beside the model's. */
struct model_files_extra {
    const char *name; /* NULL: there is none */
    int rank, shape[2];
    float value; /* of each element; 0: as the model's first tensor */
};

/* What a file is to be. Zero: all tensors, F32, under their plain names. */
struct model_files_part {
    const char *prefix;      /* of all names but the extra one's; NULL: none */
    enum pp_dtype dtypes[3]; /* of the tensors, in turn */
    int first, end;          /* which tensors of the model; end 0: up to the last */
    const char *heads;       /* "n_head" of the metadata; NULL: it is not there */
    struct model_files_extra extra;
};

/* Writes it to the path, which is returned. Element k of tensor i is
 * model_files_value(i, k), which F16 and BF16 hold exactly. */
const char *model_files_write(const char *path, const struct model_files_part *part);
float model_files_value(int tensor, size_t element);

#endif
