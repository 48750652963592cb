/* A shard: the part of a checkpoint that one rank writes, a safetensors file. It holds
 * the parameters that the rank owns, named and laid out as in Hugging Face's GPT-2
 * (model/config.h); and under AdamW their moments, exp_avg under the parameter's name
 * with ".m" behind it, exp_avg_sq with ".v". Tensors are found by name: whichever rank
 * wrote one, any layout reads it. */
#ifndef PP_RUN_SHARD_H
#define PP_RUN_SHARD_H

#include "run/manifest.h"
#include "run/train.h"

/* Writes this rank's shard into the folder. Not collective. */
int pp_shard_write(const struct pp_trainer *trainer, const char *folder,
                   struct pp_shard_file *file, struct pp_error *error);

/* Collective. Every rank takes what it needs out of a checkpoint's shards. PP_BAD_INPUT
 * names the tensor that is missing, or of another shape. */
int pp_shards_read(const struct pp_trainer *trainer, const char *folder,
                   struct pp_error *error);

#endif
