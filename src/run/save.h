/* Parameter files: what '--save' and '--save-grads' write, a safetensors file with the
 * names and layouts of Hugging Face's GPT-2 (model/config.h). */
#ifndef PP_RUN_SAVE_H
#define PP_RUN_SAVE_H

#include "run/train.h"

/* Both are collective: the ranks bring their tensors to rank 0, which writes the file
 * under path, in canonical order. The file is complete or not there (output.h).
 * PP_ENVIRONMENT if it cannot be written; the error reaches all ranks. */

/* The parameters, as F32. The path may be that of a folder (save_folder.h). */
int pp_save_parameters(const struct pp_trainer *trainer, const char *path,
                       struct pp_error *error);

/* The gradients of the step that was run last, as F32, before clipping; and the data
 * they were computed on, so that another program can compute them again: "tokens" and
 * "targets", I32 (microbatches, microbatch size, T). */
int pp_save_gradients(const struct pp_trainer *trainer, const char *path, int step,
                      struct pp_error *error);

#endif
