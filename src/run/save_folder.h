/* A folder that '--save' writes, as transformers reads a GPT-2: model.safetensors,
 * config.json and a tokenizer's files, whose tokens are bytes: what ppsim trains on. A
 * vocabulary of fewer than 256 tokens gets no tokenizer. Each file is whole or not
 * there, and config.json describes the parameters beside it: where it would change it
 * is removed first, and written last. So at any moment the folder holds the older
 * model, or the new one, or no config.json, without which transformers takes no folder.
 */
#ifndef PP_RUN_SAVE_FOLDER_H
#define PP_RUN_SAVE_FOLDER_H

#include <stdbool.h>

#include "model/config.h"

/* Does a path that is to be written name a folder? If it ends with '/', is one, or is
 * not there and does not end with ".safetensors". */
bool pp_save_folder_named(const char *path);

/* Can it be written, or made, and is there no other tokenizer in it, which would be
 * lost? PP_BAD_INPUT names the path and the reason. */
int pp_save_folder_check(const char *path, struct pp_error *error);

/* Would a folder that is there, read or written as a model's, hold this file? */
bool pp_save_folder_has(const char *folder, const char *path);

/* Does a model of so many tokens get a tokenizer? */
bool pp_save_folder_has_tokenizer(int vocab);

/* Removes what writers that were killed have left in it. */
void pp_save_folder_tidy(const char *path);

/* Makes the folder where there is none. Returns the path of the parameters' file, to be
 * freed; NULL with PP_ENVIRONMENT. */
char *pp_save_folder_begin(const char *folder, struct pp_error *error);

/* Before that file appears: removes a config.json of another model. PP_ENVIRONMENT. */
int pp_save_folder_replace(const char *folder, const struct pp_model_config *model,
                           struct pp_error *error);

/* Once it has: writes what stands beside it. PP_ENVIRONMENT. */
int pp_save_folder_end(const char *folder, const struct pp_model_config *model,
                       struct pp_error *error);

#endif
