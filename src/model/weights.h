/* The parameters of a GPT-2 on disk, as Hugging Face has them. A path is one of
 *
 *     FILE.safetensors   the tensors; a config.json beside it that has a 'model_type'
 *                        is the model's, any other is not looked at
 *     DIR                a folder with model.safetensors, or its shards and
 *                        model.safetensors.index.json (weight_shards.h); and
 * config.json (gpt2_config.h), if there is one
 *
 * The tensors say what the model is: layers, width, vocabulary, length and whether the
 * head is tied. Nothing in them says how many heads it has: config.json does, or the
 * metadata of the files that ppsim writes, or the caller.
 */
#ifndef PP_MODEL_WEIGHTS_H
#define PP_MODEL_WEIGHTS_H

#include <stdbool.h>

#include "model/config.h"
#include "model/safetensors.h"

/* The key of a file's metadata that tells the number of heads. */
#define PP_WEIGHTS_HEADS "n_head"

struct pp_weights {
    struct pp_model_config config; /* microbatch_size 1, no re-computation */
    int end_token;                 /* config.json's eos_token_id; -1: none is said, or
                                    * one beyond the vocabulary */
    char *folder;                  /* where a tokenizer would lie beside them */
    char *name;                    /* for messages: of the file, or the folder */
    struct pp_st_file *files;      /* [file_count] */
    int file_count;
};

/* Opens them and checks the whole: all tensors of the model are there, with the shapes
 * that belong together, as F32, F16 or BF16, their names with "transformer." before
 * them or without; there are no others, but what Hugging Face's files hold beside them:
 * the causal masks h.N.attn.bias and h.N.attn.masked_bias, a tied head's second copy,
 * and tensors that pp_st_open leaves out (integers, booleans), which are no parameters;
 * and config.json asks for nothing that this model does not have.
 * heads: what '--heads' gives, 0: not given; refused where the files say another
 * number, and demanded where they say none.
 * PP_BAD_INPUT names the file and what would be valid; PP_ENVIRONMENT. */
int pp_weights_open(struct pp_weights *weights, const char *path, int heads,
                    struct pp_error *error);

/* The same for a model that is known: refuses another one, saying which options it
 * wants. Its heads are those of the files where they say it. */
int pp_weights_open_as(struct pp_weights *weights, const char *path,
                       const struct pp_model_config *model, struct pp_error *error);

void pp_weights_close(struct pp_weights *weights);

/* Reads the index-th tensor in canonical order (config.h) as floats, into
 * pp_model_tensor(&weights->config, index).count of them. PP_ENVIRONMENT where the file
 * cannot be read any more. */
int pp_weights_read(const struct pp_weights *weights, int index, float *data,
                    struct pp_error *error);

#endif
