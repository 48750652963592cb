/* Does a safetensors file hold the parameters of this model? */
#ifndef PP_MODEL_GPT2_FILE_H
#define PP_MODEL_GPT2_FILE_H

#include "model/config.h"
#include "model/safetensors.h"

/* Refuses a file of another number of layers, width, vocabulary or length, saying which
 * it wants; and one that holds more than the model would read, for that is another
 * model: a head of its own where the model's is tied, tensors of other names.
 * Accepts what Hugging Face's GPT-2 files hold beside the parameters: the causal masks
 * h.N.attn.bias and h.N.attn.masked_bias, and a tied head's second copy; and
 * tensors that pp_st_open leaves out (integers, booleans), which are no parameters. A
 * tensor that is missing, or whose own shape is wrong, pp_st_read refuses.
 * PP_BAD_INPUT, PP_ENVIRONMENT. */
int pp_gpt2_file_check(const struct pp_st_file *file,
                       const struct pp_model_config *config, struct pp_error *error);

#endif
