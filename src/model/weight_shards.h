/* model.safetensors.index.json: which file holds which tensor, of a model that is too
 * large for one:
 *
 *     {"metadata": {"total_size": …},
 *      "weight_map": {"h.0.ln_1.weight": "model-00001-of-00002.safetensors", …}}
 */
#ifndef PP_MODEL_WEIGHT_SHARDS_H
#define PP_MODEL_WEIGHT_SHARDS_H

#include "model/safetensors.h"

/* Opens all files of the index at `path`, which lie in its folder or below. Refuses a
 * name that leads out of it, a file that is not there, a tensor that is not in the file
 * it should be in, or in another as well. Sets *files, [*count], the caller's, to be
 * closed and freed, also after a failure. PP_BAD_INPUT, PP_ENVIRONMENT. */
int pp_weight_shards_open(struct pp_st_file **files, int *count, const char *folder,
                          const char *path, struct pp_error *error);

#endif
